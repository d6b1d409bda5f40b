"""Choices in loops, branches and calls."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

import vipl.distributions as dist
from vipl import estimators, lang
from vipl.testing.contexts.context import SCALES, context, cost, dependent_pair, shift


def _three_steps(mean, theta):
    first, second, third = (theta * s for s in SCALES)

    def after_two(u, v):
        final = mean(shift(third, v), lambda w: 1.2 * jnp.exp(0.5 * w) + (1 + w) ** 2 * (1 + 0.1 * theta[0]))
        return final + 0.7 * jnp.exp(0.5 * v)

    return mean(shift(first, 0.5), lambda u: jnp.exp(0.5 * u) + mean(shift(second, u), lambda v: after_two(u, v)))


@context(_three_steps)
def scan(draw, theta):
    """A chain of choices in a `scan`."""

    def step(previous, scale):
        u = draw("x", shift(theta * scale, previous))
        return u, scale * jnp.exp(0.5 * u)

    last, costs = lax.scan(step, jnp.array(0.5), jnp.array(SCALES))
    return jnp.sum(costs) + (1 + last) ** 2 * (1 + 0.1 * theta[0])


def _added_up(mean, theta):
    first, second, third = (theta * s for s in SCALES)

    def after_two(u, v):
        return jnp.exp(0.2 * u + 0.8 * v) + mean(shift(third, v), lambda w: jnp.exp(0.2 * v + 0.8 * w))

    return mean(
        shift(first, 0.5),
        lambda u: jnp.exp(0.1 + 0.8 * u) + mean(shift(second, u), lambda v: after_two(u, v)),
    ) * (1 + 0.1 * theta[0])


@context(_added_up)
def total_in_fori_loop(draw, theta):
    """A chain in a `fori_loop` whose carry adds the costs up."""

    def step(i, carry):
        previous, total = carry
        u = draw("x", shift(theta * jnp.array(SCALES)[i], previous))
        return u, total + jnp.exp(0.2 * previous + 0.8 * u) * (1 + 0.1 * theta[0])

    return lax.fori_loop(0, 3, step, (jnp.array(0.5), jnp.array(0.0)))[1]


def _sum_of_features(mean, theta):
    def after_two(u, v):
        return mean(shift(1.2 * theta, 0.2 * (u + v)), lambda w: jnp.exp(0.3 * (u + v + w)) * (1 + 0.1 * theta[0]))

    return mean(theta, lambda u: mean(shift(0.7 * theta, 0.2 * u), lambda v: after_two(u, v)))


@context(_sum_of_features)
def scan_with_a_growing_state(draw, theta):
    """A `scan` whose steps hand on more than their own choice."""

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
    """One branch of two has the choice, and another choice follows."""
    heads = lang.sample("b", dist.Bernoulli(logits=theta[0]), estimator=estimators.ScoreFunction())
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
    """Every branch of three has a choice of its own, or uses it differently."""
    logits = jnp.stack([theta[0], 0.0, 0.3])
    which = lang.sample("k", dist.Categorical(logits=logits), estimator=estimators.ScoreFunction())
    branches = [
        lambda: draw("x", theta),
        lambda: 0.5 * draw("y", 0.7 * theta),
        lambda: draw("z", 1.2 * theta) - 0.2 * theta[0],
    ]
    return cost(theta, lax.switch(which, branches))


@context(dependent_pair)
def nested_jit(draw, theta):
    """Choices in functions under `jit`."""
    u = jax.jit(lambda t: draw("x", t))(theta)
    v = jax.jit(lambda t, u: draw("y", shift(t, u)))(theta, u)
    return jax.jit(cost)(theta, u, v)


@context(dependent_pair)
def remat(draw, theta):
    """Choices in a function under `checkpoint`."""

    @jax.checkpoint
    def both(theta):
        u = draw("x", theta)
        return cost(theta, u, draw("y", shift(theta, u)))

    return both(theta)
