"""Gradients of minibatches have those of all data as their mean, if the plate of the data says how many there are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_exact, assert_unbiased

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.infer.problem.data import data_of

pytestmark = pytest.mark.usefixtures("quick_compilation")

SIZE = 30
Y = np.random.default_rng(0).normal(1.0, 2.0, SIZE).astype(np.float32)
PARAMS = {"loc": jnp.array(0.3), "log_scale": jnp.array(-0.5)}


@vipl.program
def model(batch, size):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("datum", size, subsample_size=len(batch)):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=batch)


@vipl.program
def guide(params):
    vipl.sample("mu", dist.Normal(params["loc"], jnp.exp(params["log_scale"])))


def gradients(batch_size, steps, key, scaled=True):
    """Return the gradient at each step of a fit that stays where it is, under the same draw from the guide."""
    data, _ = data_of(Y, batch_size)
    key_draw, key_data = jax.random.split(key)

    def at(step):
        batch = data.batch(key_data, step)
        size = SIZE if scaled else len(batch)
        return jax.grad(lambda params: objectives.elbo(key_draw, model(batch, size), guide(params)))(PARAMS)

    whole = jax.grad(lambda params: objectives.elbo(key_draw, model(Y, SIZE), guide(params)))(PARAMS)
    return jax.jit(jax.vmap(at))(jnp.arange(steps)), whole


@pytest.mark.parametrize("batch_size", [10, 30])
def test_the_mean_of_one_pass_is_the_gradient_of_all_data(batch_size, key):
    found, whole = gradients(batch_size, SIZE // batch_size, key)
    mean = jax.tree.map(lambda leaf: leaf.mean(0, keepdims=True), found)
    assert_exact(mean, whole, relative=1e-4)


def test_batches_that_do_not_divide_are_unbiased_over_many_passes(key):
    found, whole = gradients(7, 4000, key)
    assert_unbiased(found, whole, resolution=3.0)
    alone, _ = gradients(7, 4000, key, scaled=False)
    with pytest.raises(AssertionError, match="standard errors"):
        assert_unbiased(alone, whole, resolution=3.0)
