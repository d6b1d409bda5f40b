"""Two choices in each step of a scan, under any two estimators, of which one, the other or both are handed on."""

import jax
import jax.numpy as jnp
import pytest
from helpers import assert_unbiased
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

ESTIMATORS = {
    "enumerate": estimators.Enumerate(),
    "score": estimators.ScoreFunction(),
    "score with a baseline": estimators.ScoreFunction(3.0),
    "leave one out": estimators.LeaveOneOut(2),
    "measure-valued": estimators.MeasureValued(),
}
PAIRS = [
    ("enumerate", "score"),
    ("score with a baseline", "enumerate"),
    ("enumerate", "measure-valued"),
    ("leave one out", "enumerate"),
    ("measure-valued", "score"),
]
KEPT = {
    "the first": lambda old, z, x: (z, old[1]),
    "the second": lambda old, z, x: (old[0], x),
    "both": lambda _, *now: now,
}


def chances(p, old, kept):
    """P(z = 1), and P(x = 1) given z: the second depends on the first unless only the second is handed on."""
    if kept == "the second":
        return 0.2 + 0.5 * p * old[1], lambda z: 0.3 + 0.3 * p * old[1]
    return 0.2 + 0.5 * p * old[0], lambda z: 0.3 + 0.4 * p * z + 0.1 * old[0]


def cost(old, z, x):
    return jnp.exp(0.7 * x * z + 0.3 * old[0] + 0.2 * old[1] - 0.2 * x)


def final_cost(p, state):
    return (1 + state[0] + 2 * state[1]) ** 2 * p


def objective(kept, first, second):
    def step(p, old):
        first_chance, second_chance = chances(p, old, kept)
        z = vipl.sample("z", dist.Bernoulli(first_chance), estimator=first)
        x = vipl.sample("x", dist.Bernoulli(second_chance(z)), estimator=second)
        return KEPT[kept](old, z, x), cost(old, z, x)

    def run(p):
        state, costs = lax.scan(lambda old, _: step(p, old), (0, 1), None, length=3)
        return costs.sum() + final_cost(p, state)

    return vipl.expectation(run)


def exact(kept):
    def after(p, steps, old):
        if steps == 0:
            return final_cost(p, old)
        value = 0.0
        for z in (0, 1):
            for x in (0, 1):
                first, second = chances(p, old, kept)
                weight = (first if z else 1 - first) * (second(z) if x else 1 - second(z))
                value += weight * (cost(old, z, x) + after(p, steps - 1, KEPT[kept](old, z, x)))
        return value

    return lambda p: after(p, 3, (0, 1))


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: " and ".join(pair))
def test_two_choices_a_step(kept, pair):
    estimate = objective(kept, *(ESTIMATORS[name] for name in pair))
    both = lambda key: jnp.stack(jax.value_and_grad(estimate, argnums=1)(key, 0.4))  # noqa: E731
    draws = jax.jit(jax.vmap(both))(jax.random.split(jax.random.key(5), 100_000))
    truth = jnp.stack(jax.jit(jax.value_and_grad(exact(kept)))(0.4))
    assert_unbiased(draws, truth, resolution=0.15 * float(jnp.abs(truth[1])))


@pytest.mark.parametrize("kept", KEPT)
def test_both_enumerated_are_exact(kept):
    estimate = objective(kept, estimators.Enumerate(), estimators.Enumerate())
    found = jax.jit(jax.value_and_grad(estimate, argnums=1))(jax.random.key(0), 0.4)
    truth = jax.jit(jax.value_and_grad(exact(kept)))(0.4)
    assert jnp.allclose(jnp.stack(found), jnp.stack(truth), rtol=1e-10)


def test_a_baseline_reaches_out_of_nested_constructs():
    """It is the cost itself, so that nothing is left of the gradient but its mean, 0."""

    def lane(p):
        def step(_, t):
            x = vipl.sample("x", dist.Bernoulli(p), estimator=estimators.ScoreFunction(3.0))
            return None, 3.0 + 0.0 * x

        return lax.scan(step, None, jnp.arange(1))[1].sum()

    objective = vipl.expectation(lambda p: vipl.vmap(lambda: lane(p), axis_size=4)().sum())
    value, slope = jax.value_and_grad(objective, argnums=1)(jax.random.key(0), 0.3)
    assert abs(value - 12.0) < 1e-10
    assert abs(slope) < 1e-10
