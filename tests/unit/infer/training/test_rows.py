"""Steps that look at the rows of a subsample, dense and lazy, and the row at which they meet what is not finite."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")
SIZE, BAD = 300, 37


@vipl.program
def model(y, scale):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("unit", SIZE, subsample_size=10) as index:
        z = vipl.sample("z", dist.Normal(mu, 1.0))
        vipl.sample("y", dist.Normal(z, scale[index]), obs=y[index])


def fit(optimizer, scale=None, num_steps=50, **options):
    y = jnp.linspace(0.0, 1.0, SIZE)
    bound = model(y, jnp.ones(SIZE) if scale is None else scale)
    options = {"key": jax.random.key(0), "progress": False} | options
    return vipl.infer(bound, optimizer=optimizer, num_steps=num_steps, **options)


def equal(one, two):
    return all(np.array_equal(one.params[name], two.params[name]) for name in one.params)


def test_without_memory_a_lazy_optimiser_is_the_dense_one():
    """Up to how two programs round, by 2⁻²⁴ of a param in each of 50 steps; a lost step is more than ten times that."""
    dense, lazy = fit(optax.sgd(1e-3)), fit(vipl.lazy_rows(optax.sgd(1e-3)))
    for name, value in dense.params.items():
        np.testing.assert_allclose(lazy.params[name], value, rtol=50 * 2**-24, atol=50 * 2**-24)
    moved = fit(optax.sgd(1e-3), num_steps=49)
    for name, value in dense.params.items():
        assert np.max(np.abs(moved.params[name] - value)) > 1e-4, name


def test_with_memory_it_is_another():
    optimizer = optax.adam(0.01)
    assert not equal(fit(optimizer), fit(vipl.lazy_rows(optimizer)))


@pytest.mark.parametrize("wrap", [lambda optimizer: optimizer, vipl.lazy_rows], ids=["dense", "lazy"])
def test_a_row_that_is_not_finite_is_met_when_it_is_looked_at(wrap):
    scale = jnp.ones(SIZE).at[BAD].set(jnp.nan)
    found = fit(wrap(optax.sgd(1e-3)), scale, num_steps=500, on_nan="stop")
    assert "model site 'y'" in found.status
    assert 0 < len(found.objective_history) < 500
    fine = fit(wrap(optax.sgd(1e-3)), num_steps=len(found.objective_history))
    assert equal(found, fine)


def test_a_line_search_is_given_the_objective_as_a_function_of_all_params():
    search = optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(10))
    history = fit(search, num_steps=100).objective_history
    assert np.mean(history[-20:]) > np.mean(history[:5]) + 100
