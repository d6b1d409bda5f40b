"""The verdict on guides whose faults are known."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.training.ending import Restarts

pytestmark = pytest.mark.usefixtures("quick_compilation")

Y = jnp.array([1.0, 2.0, 0.5, 1.5])
SD = float(np.sqrt(1 / (1 / 25 + 4)))  # of the posterior of mu
MEAN = SD**2 * float(Y.sum())


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(jnp.zeros(2), 5.0).to_event(1))
    vipl.deterministic("twice", 2 * mu)
    with vipl.plate("data", y.shape[0]):
        vipl.sample("y", dist.Normal(mu, 1.0).to_event(1), obs=jnp.stack([y, y], 1))


@vipl.program
def guide():
    loc, scale = vipl.param("loc", jnp.zeros(2)), vipl.param("scale", jnp.ones(2))
    vipl.sample("mu", dist.Normal(loc, scale).to_event(1))


def posterior(loc, scale, program=None):
    """Give a posterior that was not trained: of `mu` with a mean and an sd in units of the exact."""
    params = {"loc": MEAN + SD * jnp.array([0.0, loc]), "scale": SD * jnp.array([1.0, scale])}
    options = {"key": jax.random.key(0), "num_steps": 0, "progress": False}
    return vipl.infer(model(Y) if program is None else program, guide(), params=params, **options)


def test_the_exact_guide_is_good():
    exact = posterior(0.0, 1.0)
    assert exact.verdict == "good"
    assert "good" in repr(exact)
    found = exact.diagnose()
    assert found.verdict == "good"
    assert not found.advice
    assert found.khat < found.khat_threshold
    assert found.effective_share > 0.99
    np.testing.assert_allclose(found.moments.shift, 0, atol=0.01)
    assert list(found.names) == ["mu[0]", "mu[1]", "twice[0]", "twice[1]"]


@pytest.mark.parametrize(
    ("loc", "scale", "verdict", "says"),
    [
        (0.1, 1.0, "good", None),
        (0.0, 1.1, "good", None),
        (0.4, 1.0, "usable with corrected weights", r"The mean of mu\[1\] .* off by \+0.[34]"),
        (-0.4, 1.0, "usable with corrected weights", r"The mean of mu\[1\] .* off by -0.[34]"),
        (0.0, 0.78, "usable with corrected weights", r"too narrow for mu\[1\]: its sd is 0.7"),
        (0.0, 1.4, "usable with corrected weights", r"too wide for mu\[1\]: its sd is 1.[34]"),
        (0.0, 0.2, "poor", "k̂ = "),
        (3.0, 1.0, "poor", "k̂ = "),
        (0.0, 0.0, "poor", "single point|NaN"),
    ],
)
def test_known_faults(loc, scale, verdict, says):
    found = posterior(loc, scale).diagnose()
    assert found.verdict == verdict
    if says is None:
        assert not found.advice
    else:
        text = " ".join(found.advice)
        assert re.search(says, text), text


def test_khat_below_its_threshold_is_not_enough():
    """Most bad fits of practice have light-tailed weights: a verdict by k̂ alone is a twin that must differ."""
    found = posterior(0.4, 1.0)
    assert found.khat < found.psis.threshold
    assert found.verdict != "good"


@pytest.mark.parametrize("status", ["diverged: it fell", "not converged: R-hat 1.3", "stopped: NaN in site 'b'"])
def test_trouble_in_training_is_not_good(status):
    fitted = posterior(0.0, 1.0)
    fitted.status = status
    assert fitted.verdict == "usable with corrected weights"
    assert status in fitted.diagnose().advice[0]


def test_restarts_that_disagree_are_mentioned():
    fitted = posterior(0.0, 1.0)
    fitted.restarts = Restarts(np.array([-5.0, -9.0, -5.2]), np.array([0.1, 0.5, 0.1]), 1.4, 0)
    found = fitted.diagnose()
    assert found.verdict == "good"
    assert "1 of 3 restarts ended over 1 nat below the best" in found.advice[0]
    assert "R-hat 1.40" in repr(found)


@pytest.mark.parametrize("error", [0.1, 3.0])
def test_a_restart_is_behind_only_if_noise_does_not_say_so(error):
    runs = Restarts(np.array([-5.0, -9.0, np.nan, -5.5]), np.array([error, error, np.nan, error]), 1.0, 0)
    np.testing.assert_array_equal(runs.behind, [False, error == 0.1, True, False])
    assert Restarts(np.full(2, np.nan), np.zeros(2), np.nan, 0).behind.all()


def test_weights_that_are_all_zero_name_the_term():
    @vipl.program
    def impossible(y):
        mu = vipl.sample("mu", dist.Normal(jnp.zeros(2), 5.0).to_event(1))
        vipl.factor("wall", jnp.where(mu[0] > 1e6, 0.0, -jnp.inf))
        vipl.sample("y", dist.Normal(mu[0], 1.0), obs=y)

    fitted = posterior(0.0, 1.0, impossible(1.0))
    assert fitted.verdict == "poor"
    found = fitted.diagnose()
    assert "'wall'" in found.advice[0]
    assert "in impossible" in found.advice[0]
    assert found.elbo == -np.inf
    assert "wall" in repr(fitted)


def test_nan_weights_are_poor():
    @vipl.program
    def broken(y):
        mu = vipl.sample("mu", dist.Normal(jnp.zeros(2), 5.0).to_event(1))
        vipl.factor("root", jnp.log(mu[0]) * 0)
        vipl.sample("y", dist.Normal(mu[0], 1.0), obs=y)

    fitted = posterior(0.0, 1.0, broken(1.0))
    assert fitted.verdict == "poor"
    assert "NaN" in fitted.diagnose().advice[0]


@vipl.program
def minibatched(y, length):
    mu = vipl.sample("mu", dist.Normal(jnp.zeros(2), 5.0).to_event(1))
    vipl.deterministic("twice", 2 * mu)
    with vipl.plate("data", y.shape[0], subsample_size=length) as index:
        vipl.sample("y", dist.Normal(mu, 1.0).to_event(1), obs=jnp.stack([y, y], 1)[index])


def test_blocks_of_a_subsampled_plate_cover_the_data():
    whole, blocks = posterior(0.3, 1.0), posterior(0.3, 1.0, minibatched(Y, 2))
    np.testing.assert_allclose(blocks.elbo, whole.elbo, rtol=1e-5)
    np.testing.assert_allclose(blocks.khat, whole.khat, atol=1e-3)
    np.testing.assert_allclose(posterior(0.3, 1.0, minibatched(Y, 3)).elbo, whole.elbo, rtol=1e-5)


def test_subsamples_that_cannot_cover_the_data_are_said_to_be_unknown():
    y = jnp.linspace(0.0, 1.0, 101)
    fitted = posterior(0.0, 1.0, minibatched(y, 10))
    assert fitted.verdict == "unknown"
    assert np.isnan(fitted.khat)
    assert np.isfinite(fitted.elbo)
    found = fitted.diagnose()
    assert "subsample_size" in found.advice[0]
    assert found.moments is None


def test_discrete_latents():
    @vipl.program
    def coin():
        z = vipl.sample("z", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(z * 1.0, 0.5), obs=0.8)

    @vipl.program
    def coin_guide():
        vipl.sample("z", dist.Bernoulli(vipl.param("p", 0.5)))

    weights = 0.3 * np.exp(-2 * 0.2**2), 0.7 * np.exp(-2 * 0.8**2)
    exact = weights[0] / sum(weights)
    for p, verdict in ((exact, "good"), (exact - 0.25, "usable with corrected weights")):
        options = {"key": jax.random.key(0), "num_steps": 0, "progress": False}
        fitted = vipl.infer(coin(), coin_guide(), params={"p": jnp.array(p)}, **options)
        assert fitted.verdict == verdict
        np.testing.assert_allclose(fitted.diagnose().moments.corrected_mean, exact, atol=0.03)


def test_the_gradient_stands_out_where_training_stopped_early():
    assert posterior(1.0, 1.0).diagnose().signal_to_noise > 5
    assert posterior(0.0, 1.0).diagnose().signal_to_noise < 3


def test_html_is_escaped():
    found = posterior(0.4, 1.0).diagnose()
    page = dataclasses.replace(found, name="<b>model</b>")._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;model" in page
    assert page.count("<table>") == 2
