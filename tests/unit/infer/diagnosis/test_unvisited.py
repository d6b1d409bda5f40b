"""Posterior mass where a guide never draws, which its own weights cannot see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import constraints

import vipl
import vipl.distributions as dist
from vipl import guides

pytestmark = pytest.mark.usefixtures("quick_compilation")
OPTIONS = {"num_steps": 3000, "progress": False}


@vipl.program
def hills(share, apart):
    """Two unit normals with exact masses 1 − share and share, at −apart / 2 and apart / 2; and a positive site."""
    mixing = dist.Categorical(jnp.array([1 - share, share]))
    components = dist.Normal(jnp.array([-apart / 2, apart / 2]), 1.0)
    x = vipl.sample("x", dist.ImproperUniform(constraints.real, (), ()))
    vipl.sample("scale", dist.LogNormal(0.0, 0.5))
    vipl.factor("hills", dist.MixtureSameFamily(mixing, components).log_prob(x))
    vipl.sample("datum", dist.Normal(0.0, 1.0), obs=0.0)


@vipl.program
def one_hill(at, sd=1.0):
    vipl.sample("x", dist.Normal(at, sd))
    vipl.sample("scale", dist.LogNormal(0.0, 0.5))


def untrained(model, guide, seed=0):
    return vipl.infer(model, guide, key=jax.random.key(seed), num_steps=0, progress=False)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_share_of_a_mode_that_the_guide_misses(share, seed):
    fitted = untrained(hills(share, 16.0), one_hill(-8.0), seed)
    assert fitted.khat < fitted.psis.threshold
    np.testing.assert_allclose(fitted.psis.effective_sample_size, 10_000, rtol=1e-3)  # to the weights all is well
    assert fitted.verdict == "poor"
    found = fitted._unvisited
    assert found is not None
    assert found.name == "x"
    assert abs(found.value - 8.0) < 0.5
    assert abs(found.share - share) < 0.05 * share + 0.02
    assert "where the guide never draws, near x = " in fitted.diagnose().advice[0]
    assert "Mixture" in repr(fitted)


def test_a_mode_of_no_weight_does_not_count():
    fitted = untrained(hills(0.001, 16.0), one_hill(-8.0))
    assert fitted._unvisited is None
    assert fitted.verdict == "good"


def test_modes_that_the_guide_visits_are_the_affair_of_its_weights():
    @vipl.program
    def both():
        mixing, components = dist.Categorical(jnp.array([0.9, 0.1])), dist.Normal(jnp.array([-8.0, 8.0]), 1.0)
        vipl.sample("x", dist.MixtureSameFamily(mixing, components))
        vipl.sample("scale", dist.LogNormal(0.0, 0.5))

    fitted = untrained(hills(0.4, 16.0), both())
    assert fitted._unvisited is None
    assert fitted.verdict == "usable with corrected weights"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_normal_at_one_of_two_modes_is_poor_and_a_mixture_is_good(seed):
    key, model = jax.random.key(seed), hills(0.5, 10.0)
    assert vipl.infer(model, guides.FullRank(), key=key, **OPTIONS).verdict == "poor"
    assert vipl.infer(model, guides.Mixture(2), key=key, **OPTIONS).verdict == "good"


def test_auto_goes_on_to_a_mixture():
    fitted = vipl.infer(hills(0.5, 10.0), "auto", key=jax.random.key(0), **OPTIONS)
    assert fitted.verdict == "good"
    assert isinstance(fitted.candidates[-1].guide, guides.Mixture)


def test_a_heavy_tail_is_no_other_mode():
    @vipl.program
    def tail():
        vipl.sample("x", dist.StudentT(3.0, 0.0, 1.0))
        vipl.sample("scale", dist.HalfCauchy(1.0))
        vipl.sample("datum", dist.Normal(0.0, 1.0), obs=0.0)

    @vipl.program
    def exact():
        vipl.sample("x", dist.StudentT(3.0, 0.0, 1.0))
        vipl.sample("scale", dist.HalfCauchy(1.0))

    fitted = untrained(tail(), exact())
    assert fitted._unvisited is None
    assert fitted.verdict != "poor"


def test_nothing_is_looked_for_where_paths_cannot_climb():
    @vipl.program
    def coin(y):
        z = vipl.sample("z", dist.Bernoulli(0.5))
        vipl.sample("y", dist.Normal(z * 1.0, 1.0), obs=y)

    fitted = vipl.infer(coin(0.3), key=jax.random.key(0), **OPTIONS)
    assert fitted._unvisited is None
    assert fitted.verdict == "good"


def test_a_posterior_without_its_data_keeps_its_verdict(tmp_path):
    fitted = untrained(hills(0.5, 16.0), one_hill(-8.0))
    fitted.save(tmp_path / "fit.vipl")
    again = vipl.load_posterior(tmp_path / "fit.vipl", hills(0.5, 16.0), one_hill(-8.0))
    assert again.verdict == fitted.verdict == "poor"
    assert repr(again) == repr(fitted)
