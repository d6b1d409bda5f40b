"""Predictions need no data: a site without data that the posterior does not have is drawn as an observed one is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist


@vipl.program
def line(x, y=None):
    slope = vipl.sample("slope", dist.Normal(0.0, 1.0))
    with vipl.plate("data", x.shape[0]):
        mean = vipl.deterministic("mean", slope * x)
        vipl.sample("y", dist.Normal(mean, 0.1), obs=y)


@pytest.fixture(scope="module")
def posterior():
    x = jnp.arange(4.0)
    return vipl.infer(line(x, 3 * x), key=jax.random.key(0), num_steps=20, progress=False)


def test_data_or_none_make_no_difference(posterior, key):
    with_data = posterior.predict(key, num_samples=6)
    without = posterior.predict(key, line(jnp.arange(4.0)), num_samples=6)
    assert set(with_data) == set(without) == {"mean", "y"}
    for address, values in with_data.items():
        np.testing.assert_array_equal(without[address], values)


def test_new_covariates_without_data(posterior, key):
    found = posterior.predict(key, line(jnp.full(7, 2.0)), num_samples=500)
    assert found["y"].shape == (500, 7)
    slope = posterior.sample(key, 500)["slope"]
    np.testing.assert_allclose(found["mean"], np.broadcast_to(2 * slope[:, None], (500, 7)), rtol=1e-6)
    noise = (found["y"] - found["mean"]) / 0.1
    assert abs(float(noise.mean())) < 4.5 / np.sqrt(noise.size)
    assert abs(float(noise.std()) - 1) < 4.5 / np.sqrt(2 * noise.size)


def test_a_summary_does_without(posterior):
    assert "y" not in str(posterior.summary(100)).split()
