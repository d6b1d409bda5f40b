"""Where a choice can stand: an objective program for each context, and its exact twin.

A program gets `draw(address, theta)`, which samples the family under test and returns the feature of its value. The
twin gets `mean(theta, f)`, the exact E f(feature), and nests it. None is linear in the features. To add a context,
decorate its program with `@context(twin)`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators

SCALES = (1.0, 0.7, 1.2)


@dataclasses.dataclass(frozen=True)
class Context:
    """A context: its program and exact twin, how often to differentiate.

    Attributes:
        name: how the matrix calls it.
        program: `program(draw, theta)`, run inside an expectation.
        twin: `twin(mean, theta)`, its exact value.
        lanes_mixed: whether only estimators of one value can serve, since the lanes of a jax.vmap are mixed.
        noisy: whether there is another choice, of an estimator with variance.
        order: 1, or 2 for the Hessian.
    """

    name: str
    program: Callable
    twin: Callable
    lanes_mixed: bool = False
    noisy: bool = False
    order: int = 1


CONTEXTS: dict[str, Context] = {}


def context(twin, **options):
    def register(program):
        CONTEXTS[program.__name__] = Context(program.__name__, program, twin, **options)
        return program

    return register


def shift(theta, u):
    """Parameters that depend on an earlier choice."""
    return theta * (1 + 0.25 * u)


def cost(theta, u, v=0.0):
    """A smooth cost of two features."""
    return jnp.exp(0.8 * u + 0.4 * v + 0.3 * u * v) * (1 + 0.1 * theta[0])


def stacked(theta):
    return theta * jnp.array(SCALES)[:, None]


def grid(theta):
    return theta * jnp.array([[1.0, 0.7], [1.2, 0.9]])[..., None]


def _dependent_pair(mean, theta):
    return mean(theta, lambda u: mean(shift(theta, u), lambda v: cost(theta, u, v)))


def _summed(mean, theta):
    return sum(mean(theta * s, lambda u, s=s: s * cost(theta, u)) for s in SCALES)


def _product(mean, theta):
    a, b, c = (mean(theta * s, lambda u: 1 + 0.5 * u) for s in SCALES)
    return a * b * c


@context(lambda mean, theta: mean(theta, lambda u: cost(theta, u)))
def scalar(draw, theta):
    return cost(theta, draw("x", theta))


@context(_summed)
def plate(draw, theta):
    with vipl.plate("n", 3):
        u = draw("x", stacked(theta))
    return jnp.sum(jnp.array(SCALES) * cost(theta, u))


@context(_product)
def product_across_plate(draw, theta):
    with vipl.plate("n", 3):
        u = draw("x", stacked(theta))
    return jnp.prod(1 + 0.5 * u)


def _nested_rows(mean, theta):
    rows = ((1.0, 0.7), (1.2, 0.9))
    return sum(mean(theta * a, lambda u, b=b: mean(theta * b, lambda v: cost(theta, u, v))) for a, b in rows)


@context(_nested_rows)
def nested_plate(draw, theta):
    with vipl.plate("row", 2, dim=-2), vipl.plate("column", 2, dim=-1):
        u = draw("x", grid(theta))
    return jnp.sum(cost(theta, u[:, 0], u[:, 1]))


@context(_summed)
def jax_vmap(draw, theta):
    return jnp.sum(jax.vmap(lambda t, s: s * cost(theta, draw("x", t)))(stacked(theta), jnp.array(SCALES)))


@context(_product, lanes_mixed=True)
def product_across_jax_vmap(draw, theta):
    return jnp.prod(1 + 0.5 * jax.vmap(lambda t: draw("x", t))(stacked(theta)))


@context(lambda mean, theta: 3 * mean(theta, lambda u: cost(theta, u)))
def vipl_vmap(draw, theta):
    return jnp.sum(vipl.vmap(lambda: cost(theta, draw("x", theta)), axis_size=3)())


def _three_steps(mean, theta):
    first, second, third = (theta * s for s in SCALES)

    def after_two(u, v):
        final = mean(shift(third, v), lambda w: 1.2 * jnp.exp(0.5 * w) + (1 + w) ** 2 * (1 + 0.1 * theta[0]))
        return final + 0.7 * jnp.exp(0.5 * v)

    return mean(shift(first, 0.5), lambda u: jnp.exp(0.5 * u) + mean(shift(second, u), lambda v: after_two(u, v)))


@context(_three_steps)
def scan(draw, theta):
    def step(previous, scale):
        u = draw("x", shift(theta * scale, previous))
        return u, scale * jnp.exp(0.5 * u)

    last, costs = lax.scan(step, jnp.array(0.5), jnp.array(SCALES))
    return jnp.sum(costs) + (1 + last) ** 2 * (1 + 0.1 * theta[0])


def _product_of_lanes(mean, theta):
    return mean(theta, lambda u: 1 + 0.5 * u) ** 3


@context(_product_of_lanes)
def product_across_vipl_vmap(draw, theta):
    return jnp.prod(1 + 0.5 * vipl.vmap(lambda: draw("x", theta), axis_size=3)())


def _added_up(mean, theta):
    first, second, third = (theta * s for s in SCALES)

    def after_two(u, v):
        return jnp.exp(0.5 * u + 0.1 * v) + mean(shift(third, v), lambda w: jnp.exp(0.5 * v + 0.1 * w))

    return mean(
        shift(first, 0.5),
        lambda u: jnp.exp(0.25 + 0.1 * u) + mean(shift(second, u), lambda v: after_two(u, v)),
    ) * (1 + 0.1 * theta[0])


@context(_added_up)
def total_in_fori_loop(draw, theta):
    def step(i, carry):
        previous, total = carry
        u = draw("x", shift(theta * jnp.array(SCALES)[i], previous))
        return u, total + jnp.exp(0.5 * previous + 0.1 * u) * (1 + 0.1 * theta[0])

    return lax.fori_loop(0, 3, step, (jnp.array(0.5), jnp.array(0.0)))[1]


def _sum_of_features(mean, theta):
    def after_two(u, v):
        return mean(shift(1.2 * theta, 0.2 * (u + v)), lambda w: jnp.exp(0.3 * (u + v + w)) * (1 + 0.1 * theta[0]))

    return mean(theta, lambda u: mean(shift(0.7 * theta, 0.2 * u), lambda v: after_two(u, v)))


@context(_sum_of_features)
def scan_with_a_growing_state(draw, theta):
    def step(total, scale):
        return total + draw("x", shift(theta * scale, 0.2 * total)), None

    total, _ = lax.scan(step, jnp.array(0.0), jnp.array(SCALES))
    return jnp.exp(0.3 * total) * (1 + 0.1 * theta[0])


def _downstream(mean, theta):
    return lambda u: mean(shift(theta, u), lambda v: cost(theta, u, v))


def _either(mean, theta):
    chance, after = jax.nn.sigmoid(theta[0]), _downstream(mean, theta)
    return chance * mean(theta, after) + (1 - chance) * after(0.2 * theta[0])


@context(_either, noisy=True)
def cond(draw, theta):
    heads = vipl.sample("b", dist.Bernoulli(logits=theta[0]), estimator=estimators.ScoreFunction())
    u = lax.cond(heads == 1, lambda: draw("x", theta), lambda: 0.2 * theta[0])
    return cost(theta, u, draw("y", shift(theta, u)))


def _one_of_three(mean, theta):
    first, second, third = jax.nn.softmax(jnp.stack([theta[0], 0.0 * theta[0], 0.3 + 0.0 * theta[0]]))
    f = lambda u: cost(theta, u)  # noqa: E731
    return (
        first * mean(theta, f)
        + second * mean(0.7 * theta, lambda u: f(0.5 * u))
        + third * mean(1.2 * theta, lambda u: f(u - 0.2 * theta[0]))
    )


@context(_one_of_three, noisy=True)
def switch(draw, theta):
    logits = jnp.stack([theta[0], 0.0, 0.3])
    which = vipl.sample("k", dist.Categorical(logits=logits), estimator=estimators.ScoreFunction())
    branches = [
        lambda: draw("x", theta),
        lambda: 0.5 * draw("y", 0.7 * theta),
        lambda: draw("z", 1.2 * theta) - 0.2 * theta[0],
    ]
    return cost(theta, lax.switch(which, branches))


@context(_dependent_pair)
def nested_jit(draw, theta):
    u = jax.jit(lambda t: draw("x", t))(theta)
    v = jax.jit(lambda t, u: draw("y", shift(t, u)))(theta, u)
    return jax.jit(cost)(theta, u, v)


@context(_dependent_pair)
def remat(draw, theta):
    @jax.checkpoint
    def both(theta):
        u = draw("x", theta)
        return cost(theta, u, draw("y", shift(theta, u)))

    return both(theta)


@context(_dependent_pair)
def nested_program(draw, theta):
    @vipl.program
    def inner(theta):
        return draw("x", theta)

    @vipl.program
    def outer(theta):
        u = vipl.sample("inner", inner(theta))
        return u, draw("y", shift(theta, u))

    return cost(theta, *vipl.simulate(outer(theta)).value)


def _weighted_pair(mean, theta):
    return mean(theta, lambda u: (1 + 0.5 * u) * mean(shift(theta, u), lambda v: cost(theta, u, v)))


@context(_weighted_pair)
def nested_expectation(draw, theta):
    @vipl.expectation
    def inner(u):
        return cost(theta, u, draw("y", shift(theta, u)))

    u = draw("x", theta)
    return (1 + 0.5 * u) * vipl.expect(inner, u)


@context(_dependent_pair)
def after_another_choice(draw, theta):
    u = draw("x", theta)
    return cost(theta, u, draw("y", shift(theta, u)))


def _with_normal(mean, theta):
    # E exp(a y + b) for y ~ Normal(m, s) is exp(a m + a²s²/2 + b).
    def closed(u):
        rate = 0.4 + 0.3 * u
        return jnp.exp(0.8 * u + rate * (0.1 * theta[0] + 0.7 * u) + (0.7 * rate) ** 2 / 2) * (1 + 0.1 * theta[0])

    return mean(theta, closed)


@context(_with_normal, noisy=True)
def pathwise_neighbour(draw, theta):
    u = draw("x", theta)
    y = vipl.sample("y", dist.Normal(0.1 * theta[0] + 0.7 * u, 0.7), estimator=estimators.Reparam())
    return cost(theta, u, y)


def _bound(mean, theta):
    first, second, third = (theta * s for s in SCALES)

    def log_mean(u, v, w):
        return jax.nn.logsumexp(1.5 * jnp.stack([u, v, w])) * (1 + 0.1 * theta[0])

    return mean(first, lambda u: mean(second, lambda v: mean(third, lambda w: log_mean(u, v, w))))


@context(_bound)
def iwelbo_like(draw, theta):
    with vipl.plate("n", 3):
        u = draw("x", stacked(theta))
    return jax.nn.logsumexp(1.5 * u) * (1 + 0.1 * theta[0])


@context(_dependent_pair, order=2)
def second_derivative(draw, theta):
    return after_another_choice(draw, theta)


def _entropy(mean, theta):
    def after(u, p):
        return mean.with_density(shift(theta, u), lambda v, q: cost(theta, u, v) - p - q)

    return mean.with_density(theta, after)


@context(_entropy)
def entropy(draw, theta):
    @vipl.program
    def guide(theta):
        u = draw("x", theta)
        return u, draw("y", shift(theta, u))

    trace = vipl.simulate(guide(theta))
    return cost(theta, *trace.value) - trace.log_density
