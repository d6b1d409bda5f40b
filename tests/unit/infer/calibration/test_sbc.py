"""Simulation-based calibration accepts the exact posterior, and rejects known faults."""

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.infer.calibration.calibration import Calibration
from vipl.infer.training import loop

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def model(x, y):
    weight = vipl.sample("weight", dist.Normal(jnp.zeros(2), 1.0).to_event(1))
    with vipl.plate("data", x.shape[0]):
        vipl.sample("y", dist.Normal(x @ weight, 1.0), obs=y)


X = jnp.stack([jnp.ones(6), jnp.arange(6.0) - 2.5], 1)  # orthogonal, so that the posterior factorises


class Exact:
    """The posterior of a conjugate normal model, or something like it."""

    def __init__(self, program, scale, shift):
        precision = 1 + np.sum(np.asarray(X) ** 2, 0)
        self.mean = np.asarray(X).T @ np.asarray(program.observations["y"]) / precision
        self.sd = 1 / np.sqrt(precision)
        self.scale, self.shift = scale, shift

    def sample(self, key, num_samples):
        noise = np.asarray(jax.random.normal(key, (num_samples, 2)))
        return {"weight": self.mean + self.sd * (self.shift + self.scale * noise)}


def calibrated(scale=1.0, shift=0.0, seed=0, num_simulations=200):
    return vipl.sbc(
        model(X, jnp.zeros(6)),
        lambda program, key: Exact(program, scale, shift),
        key=jax.random.key(seed),
        num_simulations=num_simulations,
        progress=False,
    )


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(4))
def test_the_exact_posterior_passes_and_a_halved_scale_fails(seed):
    found = calibrated(seed=seed)
    assert found.passed
    assert not found.failures
    assert found.columns.keys() == {"weight[0]", "weight[1]"}
    assert found.ranks["weight"].shape == (200, 2)
    halved = calibrated(scale=0.5, seed=seed)
    assert halved.failures == ["weight[0]", "weight[1]"]
    assert "too narrow" in repr(halved)
    assert "failed" in halved._repr_html_()


@pytest.mark.parametrize(
    ("scale", "shift", "words"), [(2.0, 0.0, "too wide"), (1.0, 0.5, "too high"), (1.0, -0.5, "too low")]
)
def test_faults_are_named(scale, shift, words):
    found = calibrated(scale, shift)
    assert not found.passed
    assert words in repr(found)


@pytest.mark.statistical
def test_false_alarms_are_as_rare_as_alpha_says():
    random = np.random.default_rng(0)
    ranks = [{"x": random.integers(0, 100, (60, 2))} for _ in range(100)]
    failed = sum(not Calibration("m", of, 99, 0.2).passed for of in ranks)
    assert 4 < failed < 36


@pytest.mark.statistical
def test_fits_of_a_family_compile_once():
    def run(seed, num_simulations):
        options = {"num_simulations": num_simulations, "num_steps": 100, "progress": False}
        found = vipl.sbc(model(X, jnp.zeros(6)), guides.MeanField(), key=jax.random.key(seed), **options)
        return found, loop.advance._cache_size()

    _, once = run(0, 10)
    found, still = run(1, 12)
    assert still == once
    assert found.passed


def test_discrete_values_have_their_ties_broken():
    @vipl.program
    def coin(y):
        z = vipl.sample("z", dist.Bernoulli(0.4))
        vipl.sample("y", dist.Normal(0.0 * z, 1.0), obs=y)

    class Prior:
        def __init__(self, p):
            self.p = p

        def sample(self, key, num_samples):
            return {"z": jax.random.bernoulli(key, self.p, (num_samples,)).astype(int)}

    options = {"key": jax.random.key(0), "progress": False}
    assert vipl.sbc(coin(0.0), lambda program, key: Prior(0.4), **options).passed
    assert not vipl.sbc(coin(0.0), lambda program, key: Prior(0.8), **options).passed


def test_figures():
    found = calibrated(scale=0.5, num_simulations=50)
    axes = found.plot()
    assert [ax.get_title() for ax in axes] == ["weight[0]", "weight[1]"]
    assert len(found.plot("weight[1]", "rank")) == 1
    with pytest.raises(vipl.AddressError, match="Did you mean 'weight'"):
        found.plot("wieght")
    with pytest.raises(vipl.ParameterError, match="kind is 'histogram'"):
        found.plot(kind="histogram")
    matplotlib.pyplot.close("all")


def test_mistakes_are_named():
    key = jax.random.key(0)
    with pytest.raises(vipl.RandomnessError, match="needs a key"):
        vipl.sbc(model(X, jnp.zeros(6)))
    with pytest.raises(vipl.AddressError, match="no observed site"):
        vipl.sbc(model(X, None), key=key)
    with pytest.raises(vipl.ParameterError, match="num_simulations is 3"):
        vipl.sbc(model(X, jnp.zeros(6)), key=key, num_simulations=3)
    with pytest.raises(vipl.ParameterError, match="num_steps= is an option of vipl.infer"):
        vipl.sbc(model(X, jnp.zeros(6)), lambda program, key: None, key=key, num_steps=5)
    with pytest.raises(vipl.ParameterError, match="no guide and no function"):
        vipl.sbc(model(X, jnp.zeros(6)), 3.0, key=key)
