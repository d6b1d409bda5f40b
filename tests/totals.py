"""Loops that add up a total: those whose total can leave the carry, and those whose carry must stay as it is.

Each is an objective: a function of a parameter, to be staged, that returns a scalar.
"""

import jax
import jax.numpy as jnp
from jax import lax

import vipl
import vipl.distributions as dist

ACCUMULATING = {}


def accumulating(objective):
    """Register an objective whose totals can all leave the carry."""
    ACCUMULATING[objective.__name__] = objective
    return objective


XS = jnp.array([0.5, -1.0, 2.0, 0.25])


def walk(state, x, address="z"):
    """Take a random step; returns the next state and its cost."""
    state = vipl.sample(address, dist.Normal(0.7 * state + x, 1.0))
    return state, (state - x) ** 2


def carried(state, xs, start=0.0, **options):
    """Run the loop that most tests are about: the total of the costs is in the carry."""

    def step(carry, x):
        state, total = carry
        state, cost = walk(state, x)
        return (state, total + cost), None

    return lax.scan(step, (state, start), xs, **options)[0]


@accumulating
def scan(theta):
    return carried(theta, XS)[1]


@accumulating
def starts_elsewhere(theta):
    state, total = carried(theta, XS, start=theta**2)
    return state * total


@accumulating
def reverse_and_unrolled(theta):
    return carried(theta, XS, reverse=True, unroll=2)[1]


@accumulating
def no_step(theta):
    return carried(theta, XS[:0], start=2 * theta)[1] + vipl.sample("other", dist.Normal(theta, 1.0))


@accumulating
def one_step(theta):
    return carried(theta, XS[:1])[1]


@accumulating
def fori(theta):
    def step(i, carry):
        state, total = carry
        state, cost = walk(state, 0.5 * i)
        return state, cost + total

    return lax.fori_loop(0, 4, step, (theta, 1.5))[1]


@accumulating
def two_totals(theta):
    def step(carry, x):
        plus, state, minus = carry
        state, cost = walk(state, x)
        return (x + (plus + cost) - theta, state, minus - 2 * cost), state

    (plus, _, minus), states = lax.scan(step, (0.0, theta, 1.0), XS)
    return plus * minus + states.sum()


@accumulating
def vector(theta):
    def step(carry, x):
        states, total = carry
        states, costs = walk(states, x)
        return (states, total + jnp.stack([costs, states])), states

    (_, total), states = lax.scan(step, (theta * jnp.ones(3), jnp.ones((2, 3))), XS)
    return (total[0] * total[1]).sum() + states.sum()


@accumulating
def nested(theta):
    def step(carry, x):
        state, total = carry
        inner, total = carried(state, XS[:3] * x, start=total + state)
        return (0.5 * inner, total - x), None

    return lax.scan(step, (theta, 0.0), XS)[0][1]


@accumulating
def nested_fori(theta):
    def outer(i, carry):
        def inner(j, carry):
            state, total = carry
            state, cost = walk(state, 0.5 * j)
            return state, total + cost

        return lax.fori_loop(0, 2, inner, carry)

    return lax.fori_loop(0, 3, outer, (theta, 0.0))[1]


@accumulating
def through_jit(theta):
    @jax.jit
    def one(state, total, x):
        state, cost = walk(state, x)
        return total + cost, state

    def step(carry, x):
        state, total = carry
        total, state = one(state, total, x)
        return (state, total), None

    return lax.scan(step, (theta, 0.0), XS)[0][1]


@accumulating
def in_branch(theta):
    coin = vipl.sample("coin", dist.Normal(theta, 1.0))
    return lax.cond(theta < 3, lambda: carried(theta, XS)[1] + coin, lambda: theta)


@accumulating
def in_vmap(theta):
    return vipl.vmap(lambda scale: carried(theta, scale * XS)[1])(jnp.arange(3.0)).sum()


@accumulating
def in_remat(theta):
    return jax.checkpoint(lambda theta: carried(theta, XS)[1])(theta)


@accumulating
def in_jit(theta):
    return jax.jit(lambda theta: carried(theta, XS))(theta)[1]


@accumulating
def in_custom_derivative(theta):
    @jax.custom_jvp
    def total(theta):
        return carried(theta, XS)[1]

    total.defjvp(lambda primals, tangents: (total(*primals), tangents[0]))
    return total(theta)


@accumulating
def under_jax_vmap(theta):
    return jax.vmap(lambda scale: carried(theta, scale * XS)[1])(jnp.arange(3.0)).sum()


@accumulating
def called_twice(theta):
    run = jax.jit(lambda theta: carried(theta, XS))
    state, total = run(theta)
    return total * run(state)[1]


@accumulating
def around_vmap(theta):
    def step(carry, x):
        states, totals = carry
        return vipl.vmap(lambda state, total: (lambda s, c: (s, total + c))(*walk(state, x)))(states, totals), None

    return lax.scan(step, (theta * jnp.ones(3), jnp.zeros(3)), XS)[0][1].sum()


@accumulating
def summed_afterwards(theta):
    _, states = lax.scan(lambda state, x: (walk(state, x)[0],) * 2, theta, XS)
    return jax.jit(lambda states: lax.scan(lambda total, x: (total + x**2, None), 0.0, states)[0])(states)


# Loops that stay as they are.


def with_step(combine):
    """Return an objective whose total is what `combine(total, cost)` makes of it; it may give outputs too."""

    def objective(theta):
        def step(carry, x):
            state, total = carry
            state, cost = walk(state, x)
            total, out = combine(total, cost)
            return (state, total), out

        (_, total), outs = lax.scan(step, (theta, 0.0), XS)
        return total + (0.0 if outs is None else outs.sum())

    return objective


def changes_places(theta):
    def step(carry, x):
        state, total, other = carry
        state, cost = walk(state, x)
        return (state, other, total + cost), None

    return lax.scan(step, (theta, 0.0, 0.0), XS)[0][1]


def counts(theta):
    def step(carry, x):
        state, count = carry
        return (walk(state, x)[0], count + 1), None

    state, count = lax.scan(step, (theta, 0), XS)[0]
    return state * count


def sums_constants(theta):
    return lax.fori_loop(0, 4, lambda i, total: total + XS[i] * theta, 0.0) + walk(theta, 1.0)[1]


def sums_vectors_afterwards(theta):
    states = walk(theta * jnp.ones((4, 3)), 1.0)[0]
    return lax.fori_loop(0, 4, lambda i, total: total + states[i], jnp.zeros(3)).sum()


def while_loop(theta):
    def body(carry):
        return carry[0] + 1, carry[1] + carried(theta, XS)[1]

    return lax.while_loop(lambda carry: carry[0] < 3, body, (0, 0.0))[1]


LEFT_ALONE = {
    "put out": with_step(lambda total, cost: (total + cost,) * 2),
    "put out before": with_step(lambda total, cost: (total + cost, total)),
    "partial sum put out": with_step(lambda total, cost: (lambda part: (part + 1.0, part))(total + cost)),
    "discounted": with_step(lambda total, cost: (0.9 * total + cost, None)),
    "clipped": with_step(lambda total, cost: (jnp.minimum(total + cost, 3.0), None)),
    "negated": with_step(lambda total, cost: (cost - total, None)),
    "doubled": with_step(lambda total, cost: (total + total + cost, None)),
    "in a branch": with_step(lambda total, cost: (lax.cond(cost > 1, lambda: total + cost, lambda: total), None)),
    "selected": with_step(lambda total, cost: (jnp.where(cost > 1, total + cost, total), None)),
    "rounded on the way": with_step(lambda total, cost: (lax.reduce_precision(total + cost, 8, 7), None)),
    "passed on": with_step(lambda total, cost: (total, cost)),
    "replaced": with_step(lambda total, cost: (cost, None)),
    **{f.__name__: f for f in (changes_places, counts, sums_constants, sums_vectors_afterwards, while_loop)},
}
