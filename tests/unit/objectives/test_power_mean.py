"""Power means of weights: their formula, their derivatives, their limits and what they do at zero weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import bound_of

from vipl.objectives import vimco
from vipl.objectives.power_mean import log_power_mean, normalised_weights

LOG_WEIGHTS = jnp.array([0.3, -1.2, 2.0])


@pytest.mark.parametrize("exponent", [1.0, 0.5, 0.0, -1.0, 2.0])
def test_the_printed_formula(exponent):
    found = log_power_mean(LOG_WEIGHTS, exponent)
    np.testing.assert_allclose(found, bound_of(LOG_WEIGHTS, 1 - exponent), rtol=1e-6)
    gradient = jax.grad(log_power_mean)(LOG_WEIGHTS, exponent)
    np.testing.assert_allclose(gradient, normalised_weights(LOG_WEIGHTS, exponent), rtol=1e-5)


@pytest.mark.parametrize("exponent", [1.0, 0.5, -1.0])
def test_weights_that_overflow(exponent):
    found = log_power_mean(LOG_WEIGHTS + 3000.0, exponent)
    np.testing.assert_allclose(found - 3000.0, log_power_mean(LOG_WEIGHTS, exponent), atol=1e-3)


@pytest.mark.parametrize("exponent", [1e-2, 1e-4, 1e-6, -1e-6])
def test_the_limit_of_order_one(exponent):
    """In float32; a logarithm of a mean near one, divided by the exponent, would be off by 0.1 and more."""
    found = log_power_mean(LOG_WEIGHTS, exponent)
    second_order = exponent * np.var(np.asarray(LOG_WEIGHTS)) / 2
    np.testing.assert_allclose(found, np.mean(np.asarray(LOG_WEIGHTS)) + second_order, atol=2e-4)


def test_one_weight_of_zero():
    log_weights = jnp.array([0.0, -jnp.inf])
    value, gradient = jax.value_and_grad(log_power_mean)(log_weights, 1.0)
    np.testing.assert_allclose(value, -np.log(2), rtol=1e-6)
    np.testing.assert_allclose(gradient, [1.0, 0.0])
    value, gradient = jax.value_and_grad(log_power_mean)(log_weights, -1.0)
    assert value == -jnp.inf
    np.testing.assert_allclose(gradient, [0.0, 0.0])


@pytest.mark.parametrize("exponent", [1.0, 0.005, 0.0, -1.0])
def test_weights_that_are_all_zero(exponent):
    value = log_power_mean(jnp.full(3, -jnp.inf), exponent)
    assert value == -jnp.inf
    assert np.isfinite(normalised_weights(jnp.full(3, -jnp.inf), exponent)).all()


def test_nan_stays_nan():
    assert np.isnan(log_power_mean(jnp.array([0.0, jnp.nan]), 1.0))


def test_baselines_by_the_printed_formula():
    log_weights = jnp.array([0.3, -2.0, 1.4])
    found = vimco.baselines(log_weights, 1.0)
    for k in range(3):
        others = np.delete(np.asarray(log_weights), k)
        np.testing.assert_allclose(found[k], np.log((np.exp(others).sum() + np.exp(others.mean())) / 3), rtol=1e-5)


def test_baselines_of_impossible_particles():
    np.testing.assert_allclose(vimco.baselines(jnp.array([0.5, -jnp.inf]), 1.0), [0.0, 0.5])
