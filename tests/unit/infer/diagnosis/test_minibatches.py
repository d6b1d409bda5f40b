"""Fits of minibatches are judged by all of the data, where these are known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")

Y = np.linspace(0.0, 3.0, 60).astype(np.float32)
SD = float(np.sqrt(1 / (1 / 25 + 60)))
MEAN = SD**2 * float(Y.sum())
START = {"loc": jnp.array(MEAN), "log_sd": jnp.array(np.log(SD))}


@vipl.program
def model(batch):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("datum", len(Y), subsample_size=batch.shape[0]):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=batch)


@vipl.program
def guide(params):
    vipl.sample("mu", dist.Normal(params["loc"], jnp.exp(params["log_sd"])))


def fit(data, shift=0.0, **options):
    params = START | {"loc": START["loc"] + shift * SD}
    options = {"num_steps": 0, "progress": False, "optimizer": optax.sgd(0.0)} | options
    programs = (lambda params, batch: model(batch[0])), (lambda params, batch: guide(params))
    return vipl.infer(*programs, key=jax.random.key(0), params=params, data=data, **options)


def test_arrays_are_judged_whole():
    exact = fit((jnp.asarray(Y),), batch_size=7)
    assert exact.verdict == "good"
    found = exact.diagnose()
    np.testing.assert_allclose(found.moments.corrected_sd, SD, rtol=0.01)
    assert found.elbo_se < 1e-3
    assert found.signal_to_noise < 3
    off = fit((jnp.asarray(Y),), 0.5, batch_size=7)
    assert off.verdict == "usable with corrected weights"
    mean, se = off.expectation(lambda draw: draw["mu"])
    assert abs(mean - MEAN) < 4.5 * se


def test_batches_of_an_iterator_are_not_all_data():
    fitted = fit([(Y[:20],), (Y[20:40],)], num_steps=1)
    assert fitted.verdict == "unknown"
    assert np.isnan(fitted.elbo)
    found = fitted.diagnose()
    assert found.signal_to_noise is None
    assert "all data" in found.advice[0]
