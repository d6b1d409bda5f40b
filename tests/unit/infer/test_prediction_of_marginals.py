"""Prediction from a model of which some sites are integrated out: they are drawn anew, as the data are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")

DRAWS = 4000


@vipl.program
def two_groups(y=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    twice = vipl.deterministic("twice", 2 * mu)
    with vipl.plate("n", 3):
        group = vipl.sample("group", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(twice + 5.0 * group, 1.0), obs=y)


Y = jnp.array([0.5, 1.0, 5.5])
MODELS = {
    "exact": vipl.marginal(two_groups(Y), ["mu"], vipl.Exact()),
    "importance": vipl.marginal(two_groups(Y), ["mu"], vipl.Importance(num_particles=4)),
    "conditioned after": vipl.marginal(two_groups(), ["mu", "y"], vipl.Exact()) | {"y": Y},
    "of a marginal": vipl.marginal(vipl.marginal(two_groups(Y), ["mu"], vipl.Exact()), ["mu"]),
}


def fitted(model, key):
    return vipl.infer(model, key=key, num_steps=0, progress=False)


@pytest.mark.parametrize("name", MODELS)
def test_data_are_drawn_from_the_mixture(name, key):
    posterior = fitted(MODELS[name], key)
    predicted, mu = posterior.predict(key, num_samples=DRAWS), posterior.sample(key, DRAWS)["mu"]
    np.testing.assert_array_equal(predicted["twice"], 2 * mu)
    noise = np.sort(np.ravel(predicted["y"] - 2 * mu[:, None]))
    law = 0.7 * norm.cdf(noise) + 0.3 * norm.cdf(noise - 5.0)
    distance = np.max(np.abs(law - np.linspace(0, 1, noise.size)))  # Kolmogorov's, exceeded once in 10⁴ times
    assert distance < 2.23 / noise.size**0.5
    assert np.max(np.abs(norm.cdf(noise) - np.linspace(0, 1, noise.size))) > 0.2  # the group forgotten


def test_a_summary_has_what_is_kept(key):
    assert list(fitted(MODELS["exact"], key).summary()) == ["mu"]


def test_data_inside_of_a_site_are_refused(key):
    @vipl.program
    def outer():
        scale = vipl.sample("scale", dist.HalfNormal(1.0))
        vipl.deterministic("variance", scale**2)
        vipl.sample("inner", MODELS["exact"])

    posterior = fitted(outer(), key)
    assert list(posterior.summary()) == ["scale", "variance", "inner/mu"]
    with pytest.raises(vipl.DensityError, match=r"'inner/y' is observed in a marginal(.|\n)*two_groups(.|\n)*predict"):
        posterior.predict(jax.random.key(0))
