"""A fit beside NUTS, on a posterior that is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")

Y = jnp.array([1.0, 2.0, 0.5, 1.5])
SD = float(np.sqrt(1 / (1 / 25 + 4)))
MEAN = SD**2 * float(Y.sum())


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    scale = vipl.sample("scale", dist.LogNormal(0.0, 0.5))
    vipl.deterministic("twice", 2 * mu)
    with vipl.plate("data", y.shape[0]):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
    vipl.sample("x", dist.Normal(jnp.log(scale), 0.5), obs=0.5)


@vipl.program
def guide():
    vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), vipl.param("sd", 1.0)))
    vipl.sample("scale", dist.LogNormal(0.25, np.sqrt(0.125)))


@pytest.fixture(scope="module")
def checked():
    params = {"loc": jnp.array(MEAN + SD), "sd": jnp.array(SD / 2)}  # a wrong guide, on purpose
    options = {"key": jax.random.key(0), "num_steps": 0, "progress": False}
    posterior = vipl.infer(model(Y), guide(), params=params, **options)
    return posterior.check_against_nuts(jax.random.key(1), num_warmup=200, num_samples=500, num_chains=2)


def test_nuts_has_the_exact_moments(checked):
    exact_scale = np.exp(0.25 + 0.0625), np.exp(0.25 + 0.0625) * np.sqrt(np.expm1(0.125))
    for i, (mean, sd) in enumerate([(MEAN, SD), exact_scale, (2 * MEAN, 2 * SD)]):
        error = sd / np.sqrt(checked.effective_sample_size[i])
        assert abs(checked.nuts_mean[i] - mean) < 4.5 * error < 0.3 * sd
        assert abs(checked.nuts_sd[i] / sd - 1) < 0.2
    assert np.all(checked.rhat < 1.05)


def test_the_guide_that_is_wrong_is_seen(checked):
    assert list(checked.names) == ["mu", "scale", "twice"]
    np.testing.assert_allclose(checked.shift[[0, 2]], 1.0, atol=0.25)
    np.testing.assert_allclose(checked.sd_ratio[[0, 2]], 0.5, atol=0.1)
    assert abs(checked.shift[1]) < 0.25
    assert "+1." in repr(checked) or "+0.9" in repr(checked)
    assert "twice" in checked._repr_html_()


def test_draws_are_those_of_all_chains(checked):
    assert {address: value.shape for address, value in checked.draws.items()} == dict.fromkeys(
        ["mu", "scale", "twice"], (1000,)
    )
    np.testing.assert_allclose(checked.draws["twice"], 2 * checked.draws["mu"], rtol=1e-6)


def test_wrong_options_are_named(checked):
    del checked
    params = {"loc": jnp.array(0.0), "sd": jnp.array(1.0)}
    posterior = vipl.infer(model(Y), guide(), params=params, key=jax.random.key(0), num_steps=0, progress=False)
    with pytest.raises(vipl.ParameterError, match="num_samples is 10.5"):
        posterior.check_against_nuts(jax.random.key(0), num_samples=10.5)


def test_a_density_that_is_zero_everywhere_is_named():
    @vipl.program
    def impossible():
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        vipl.sample("scale", dist.LogNormal(0.0, 0.5))
        vipl.factor("wall", jnp.where(mu > 1e6, 0.0, -jnp.inf))

    options = {"params": {"loc": jnp.array(0.0), "sd": jnp.array(1.0)}, "num_steps": 0, "progress": False}
    posterior = vipl.infer(impossible(), guide(), key=jax.random.key(0), **options)
    with pytest.raises(vipl.DensityError, match="no place to start"):
        posterior.check_against_nuts(jax.random.key(0), num_warmup=5, num_samples=5)
