"""Both laws of an estimated density ŵ: E[ŵ] = p where values are given, E[1/ŵ] = 1/p where they are drawn."""

import functools

import estimated_densities
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from estimated_densities import CASES, SERIES, chain, chain_evidence, evidence_of
from helpers import assert_unbiased, draws

import vipl

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEYS = 30_000


def keys(seed, count=KEYS):
    return jax.random.split(jax.random.key(seed), draws(count))


@functools.cache
def scored(name):
    """ŵ of every value, `(keys, values)`."""
    case = CASES[name]
    one = lambda key, value: jnp.exp(vipl.log_density(case.program, value, key))  # noqa: E731
    return jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))(keys(1), case.values)


@functools.cache
def drawn(name):
    """Which value was drawn, and ŵ of the draw, and p(x, y)/ŵ for a model that was normalised."""
    case = CASES[name]

    def one(key):
        trace = vipl.simulate(case.program, key)
        same = [
            jnp.all(jnp.reshape(value == trace[address], (len(value), -1)), axis=1)
            for address, value in case.values.items()
        ]
        ratio = 1.0
        if case.model is not None and not name.startswith("normalised marginal"):
            ratio = jnp.exp(vipl.log_density(case.model, trace) - trace.log_density)
        return functools.reduce(jnp.logical_and, same), jnp.exp(-trace.log_density), ratio

    return jax.jit(jax.vmap(one))(keys(2))


@pytest.mark.parametrize("name", CASES)
def test_given_values(name):
    """E[ŵ] is the probability: the exact one, or of an algorithm's own draws how often it draws the value."""
    case = CASES[name]
    if case.probabilities is not None:
        assert_unbiased(scored(name), case.probabilities, resolution=0.05)
    is_value, _, _ = drawn(name)
    assert_unbiased(scored(name).sum(1), np.array(1.0), resolution=0.15)
    assert_unbiased(is_value - scored(name), np.zeros(is_value.shape[1]), resolution=0.05)


@pytest.mark.parametrize("name", CASES)
def test_drawn_values(name):
    """E[1/ŵ] over draws is the number of values, and for each value alone one; p(x, y)/ŵ estimates the evidence."""
    case = CASES[name]
    is_value, inverse, ratio = drawn(name)
    likely = np.asarray(is_value).mean(0) > 0.06
    found = (np.asarray(is_value) * np.asarray(inverse)[:, None])[:, likely]
    assert_unbiased(found, np.ones(likely.sum()), resolution=0.5)
    if case.model is not None and name != "normalised marginal":
        assert_unbiased(ratio, np.array(evidence_of(name)), resolution=0.03)


def test_the_checks_see_particles_that_retain_nothing():
    """Wrong twins: a draw scored as a given value, and a given value scored as a draw would be."""
    case = CASES["marginal"]

    def fresh(key):
        first, second = jax.random.split(key)
        trace = vipl.simulate(case.program, first)
        density = vipl.log_density(case.program, dict(trace.choices), second)
        return (case.values["x"] == trace["x"]) * jnp.exp(-density)

    with pytest.raises(AssertionError, match="standard errors"):
        assert_unbiased(jax.jit(jax.vmap(fresh))(keys(3, 8000)), np.ones(3), resolution=0.5)

    def mean_of_logs(key, value):
        one = estimated_densities.on_x(inference=vipl.Importance(num_particles=1))
        pair = [vipl.log_density(one, value, k) for k in jax.random.split(key)]
        return jnp.exp(sum(pair) / 2)

    wrong = jax.jit(jax.vmap(jax.vmap(mean_of_logs, (None, 0)), (0, None)))(keys(4, 8000), case.values)
    with pytest.raises(AssertionError, match="standard errors"):
        assert_unbiased(wrong, case.probabilities, resolution=0.05)


@pytest.mark.parametrize("count", [1, 4])
def test_the_evidence_of_a_chain(count):
    """A marginal that keeps nothing is the evidence."""
    program = vipl.marginal(chain(SERIES), [], vipl.SMC(count))
    found = jax.jit(jax.vmap(lambda key: jnp.exp(vipl.log_density(program, {}, key))))(keys(5))
    assert_unbiased(found, np.array(chain_evidence(SERIES, True)), resolution=0.01)
