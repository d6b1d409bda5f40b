"""Enumerated choices inside `scan`: exact, by the forward algorithm.

The exact answers are sums over paths, and the forward recursion written out.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exactness import ENUMERATE, assert_equal_with_derivatives, flip
from jax import lax

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation", "x64")


def chance(p, previous):
    """P(z_t = 1 | z_(t-1))."""
    return jnp.where(previous == 1, p, 1 - p**2)


def chain(length, *, how="outputs", reverse=False, estimator=ENUMERATE):
    def run(p):
        def step(carry, t):
            previous, total = carry
            z = flip("z", chance(p, previous), estimator)
            cost = jnp.exp(0.3 * z + 0.2 * z * previous) * (1 + p * t / length)
            return (z, total + cost if how == "carry" else total), cost

        (last, total), costs = lax.scan(step, (0, 0.0), jnp.arange(float(length)), reverse=reverse)
        return (jnp.sum(costs) if how == "outputs" else total) + (1 + last) ** 2 * p

    return vipl.expectation(run)


def exact_chain(length, reverse=False):
    def value(p):
        state = jnp.array([1.0, 0.0])
        total = 0.0
        z, previous = jnp.arange(2.0), jnp.arange(2.0)[:, None]
        for t in range(length)[::-1] if reverse else range(length):
            up = chance(p, jnp.arange(2))
            joint = state[:, None] * jnp.stack([1 - up, up], axis=1)
            total += jnp.sum(joint * jnp.exp(0.3 * z + 0.2 * z * previous) * (1 + p * t / length))
            state = joint.sum(axis=0)
        return total + jnp.sum(state * (1 + z) ** 2 * p)

    return value


@pytest.mark.parametrize("how", ["outputs", "carry"])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_markov_chain(length, how):
    assert_equal_with_derivatives(chain(length, how=how), exact_chain(length), second=length == 7)


def test_a_chain_that_runs_backwards():
    assert_equal_with_derivatives(chain(6, reverse=True), exact_chain(6, reverse=True))


def test_no_steps():
    assert_equal_with_derivatives(chain(0), lambda p: 1.0 * p)


def test_a_thousand_steps_take_one_loop():
    objective = chain(1000)
    gradient = jax.jit(jax.value_and_grad(objective, argnums=1))
    exact = _forward_in_numpy(0.4, 1000), (_forward_in_numpy(0.4 + 1e-6, 1000) - _forward_in_numpy(0.4 - 1e-6, 1000))
    value, slope = gradient(jax.random.key(0), 0.4)
    np.testing.assert_allclose(value, exact[0], rtol=1e-10)
    np.testing.assert_allclose(slope, exact[1] / 2e-6, rtol=1e-4)
    count = lambda length: len(str(jax.make_jaxpr(lambda p: chain(length)(jax.random.key(0), p))(0.4)))  # noqa: E731
    assert count(1000) < 1.1 * count(10)


def _forward_in_numpy(p, length):
    state, total = np.array([1.0, 0.0]), 0.0
    z, previous = np.arange(2.0), np.arange(2.0)[:, None]
    up = np.where(np.arange(2) == 1, p, 1 - p**2)
    for t in range(length):
        joint = state[:, None] * np.stack([1 - up, up], axis=1)
        total += np.sum(joint * np.exp(0.3 * z + 0.2 * z * previous) * (1 + p * t / length))
        state = joint.sum(axis=0)
    return total + np.sum(state * (1 + z) ** 2 * p)


SCALES = np.array([1.0, 0.7, 0.5])


def _one_of_a_plate(p, scale, length=4):
    state, total = jnp.array([1.0, 0.0]), 0.0
    for _ in range(length):
        up = chance(p, jnp.arange(2)) * scale
        state = state @ jnp.stack([1 - up, up], axis=1)
        total += jnp.sum(state * jnp.exp(0.3 * jnp.arange(2.0)) * (1 + p))
    return total + jnp.sum(state * (1 + jnp.arange(2.0)) ** 2 * p)


def _lane(p, scale):
    def step(previous, _):
        z = flip("z", chance(p, previous) * scale)
        return z, jnp.exp(0.3 * z) * (1 + p)

    last, costs = lax.scan(step, 0, None, length=4)
    return jnp.sum(costs) + (1 + last) ** 2 * p


@vipl.expectation
def chains_in_a_plate(p):
    def step(previous, _):
        with vipl.plate("n", 3):
            z = flip("z", chance(p, previous) * SCALES)
        return z, jnp.exp(0.3 * z) * (1 + p)

    last, costs = lax.scan(step, jnp.zeros(3, int), None, length=4)
    return jnp.sum(costs) + jnp.sum((1 + last) ** 2 * p)


@pytest.mark.parametrize("vmap", [vipl.vmap, jax.vmap])
def test_chains_in_lanes(vmap):
    objective = vipl.expectation(lambda p: jnp.sum(vmap(lambda s: _lane(p, s))(jnp.asarray(SCALES))))
    assert_equal_with_derivatives(objective, lambda p: sum(_one_of_a_plate(p, s) for s in SCALES))


def test_chains_in_a_plate():
    exact = lambda p: sum(_one_of_a_plate(p, s) for s in SCALES)  # noqa: E731
    assert_equal_with_derivatives(chains_in_a_plate, exact, second=True)


def test_two_choices_a_step_of_which_one_is_handed_on():
    @vipl.expectation
    def objective(p):
        def step(previous, _):
            z = flip("z", chance(p, previous))
            shade = vipl.sample("c", dist.Categorical(jnp.array([p, (1 - p) / 2, (1 - p) / 2])), estimator=ENUMERATE)
            x = flip("x", 0.3 + 0.2 * z + 0.1 * shade)
            return z, jnp.exp(0.3 * z + 0.2 * x * shade - 0.1 * previous)

        return jnp.sum(lax.scan(step, 0, None, length=3)[1])

    def exact(p):
        state, total = jnp.array([1.0, 0.0]), 0.0
        shades = jnp.array([p, (1 - p) / 2, (1 - p) / 2])
        for _ in range(3):
            after = jnp.zeros(2)
            for before, z, shade, x in itertools.product(range(2), range(2), range(3), range(2)):
                up, xs = chance(p, jnp.array(before)), 0.3 + 0.2 * z + 0.1 * shade
                path = state[before] * (up if z else 1 - up)
                weight = path * shades[shade] * (xs if x else 1 - xs)
                total += weight * jnp.exp(0.3 * z + 0.2 * x * shade - 0.1 * before)
                after = after.at[z].add(weight)
            state = after
        return total

    assert_equal_with_derivatives(objective, exact)


def test_two_states_that_are_handed_on_together():
    @vipl.expectation
    def objective(p):
        def step(carry, _):
            a, b = carry
            a, b = flip("a", 0.2 + 0.5 * p * b), flip("b", 0.6 - 0.3 * p * a)
            return (a, b), jnp.exp(0.5 * a * b)

        (a, b), costs = lax.scan(step, (0, 1), None, length=3)
        return jnp.sum(costs) + (a - b) ** 2 * p

    def exact(p):
        state, total = {(0, 1): 1.0}, 0.0
        for _ in range(3):
            after = {}
            for (old_a, old_b), a, b in itertools.product(state, range(2), range(2)):
                up_a, up_b = 0.2 + 0.5 * p * old_b, 0.6 - 0.3 * p * old_a
                weight = state[old_a, old_b] * (up_a if a else 1 - up_a) * (up_b if b else 1 - up_b)
                total += weight * jnp.exp(0.5 * a * b)
                after[a, b] = after.get((a, b), 0.0) + weight
            state = after
        return total + sum(weight * (a - b) ** 2 * p for (a, b), weight in state.items())

    assert_equal_with_derivatives(objective, exact)


def test_a_branch_inside_a_step():
    @vipl.expectation
    def objective(p):
        def step(previous, t):
            z = lax.cond(t % 2 == 0, lambda: flip("z", chance(p, previous)), lambda: flip("w", p) * previous)
            return z, jnp.exp(0.3 * z)

        return jnp.sum(lax.scan(step, 0, jnp.arange(3))[1])

    def exact(p):
        total = 0.0
        for z, w, y in itertools.product(range(2), repeat=3):
            first = chance(p, jnp.array(0))
            weight = (first if z else 1 - first) * (p if w else 1 - p)
            second = w * z
            third = chance(p, jnp.array(second))
            weight = weight * (third if y else 1 - third)
            total += weight * (jnp.exp(0.3 * z) + jnp.exp(0.3 * second) + jnp.exp(0.3 * y))
        return total

    assert_equal_with_derivatives(objective, exact)


def test_a_forward_recursion_without_the_earlier_states_is_seen(monkeypatch):
    """The planted fault: the state's probabilities start anew at every step."""
    from vipl.transform.evaluation import forward

    def forgetful(carried, child):
        true = forward_next(carried, child)
        return jnp.full_like(true, 0.5)

    forward_next = forward.next_probabilities
    monkeypatch.setattr(forward, "next_probabilities", forgetful)
    with pytest.raises(AssertionError):
        assert_equal_with_derivatives(chain(7), exact_chain(7), tolerance=1e-3)
