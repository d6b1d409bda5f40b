"""Expectations and draws corrected by importance weights, on a posterior that is known."""

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
    vipl.deterministic("twice", 2 * mu)
    with vipl.plate("data", y.shape[0]):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def guide():
    vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), vipl.param("scale", 1.0)))


def posterior(loc=0.5, scale=1.3, program=None):
    """Give a posterior whose guide is off by `loc` sd and too wide by `scale`."""
    params = {"loc": jnp.array(MEAN + loc * SD), "scale": jnp.array(scale * SD)}
    options = {"key": jax.random.key(0), "num_steps": 0, "progress": False}
    return vipl.infer(model(Y) if program is None else program, guide(), params=params, **options)


def moments(draw):
    return {"mean": draw["mu"], "square": (draw["twice"] / 2 - MEAN) ** 2, "large": draw["mu"] > MEAN}


EXACT = {"mean": MEAN, "square": SD**2, "large": 0.5}


@pytest.mark.statistical
def test_expectations_are_those_of_the_posterior():
    found = posterior().expectation(moments, num_samples=20_000)
    mean, se = found
    for name, exact in EXACT.items():
        assert abs(mean[name] - exact) < 4.5 * se[name] < 0.05
    assert 2000 < found.effective_sample_size < 20_000
    # The twin is not corrected.
    twin, twin_se = posterior().expectation(moments, corrected=False)
    assert all(abs(twin[name] - exact) > 4.5 * twin_se[name] for name, exact in EXACT.items())


@pytest.mark.statistical
def test_the_standard_error_is_that_of_repetition():
    fitted = posterior()
    runs = [fitted.expectation(lambda draw: draw["mu"], jax.random.key(i), 500) for i in range(100)]
    assert 0.8 < np.std([(run.mean - MEAN) / run.se for run in runs]) < 1.2


def test_an_address_that_a_draw_does_not_have_is_named():
    with pytest.raises(vipl.AddressError, match=r"no 'twic'. Did you mean 'twice'"):
        posterior().expectation(lambda draw: draw["twic"])


@pytest.mark.statistical
def test_resampled_draws_are_of_the_posterior():
    fitted, key = posterior(), jax.random.key(1)
    found = fitted.resample(key, 3000)
    assert list(found) == ["mu", "twice"]
    assert found["mu"].shape == (3000,)
    np.testing.assert_allclose(found["twice"], 2 * found["mu"], rtol=1e-6)
    error = SD / np.sqrt(min(found.effective_sample_size, 3000))
    assert abs(found["mu"].mean() - MEAN) < 4.5 * error < 0.5 * SD
    assert abs(found["mu"].std() / SD - 1) < 0.1
    assert abs(fitted.sample(key, 3000)["mu"].mean() - MEAN) > 4.5 * error  # the twin: the guide
    assert found.khat <= found.threshold
    assert 1000 < found.num_distinct <= 3000
    assert posterior(1.0, 1.0).resample(key, 3000).num_distinct < 3000
    halves = found["mu"][:1500].mean() - found["mu"][1500:].mean()  # shuffled: the order says nothing
    assert abs(halves) < 4.5 * error * 2
    again = fitted.resample(key, 3000)
    np.testing.assert_array_equal(again["mu"], found["mu"])


def test_more_draws_than_the_usual_pool():
    assert posterior().resample(jax.random.key(2), 12_345)["mu"].shape == (12_345,)


def test_weights_that_do_not_correct_warn():
    narrow = posterior(6.0, 1.0)
    for call in (lambda: narrow.expectation(moments), lambda: narrow.resample(jax.random.key(0), 10)):
        with pytest.warns(vipl.VIPLWarning, match="k̂ is") as caught:
            call()
        assert caught[0].filename == __file__
    assert narrow.expectation(moments, corrected=False).effective_sample_size > 9999


def test_weights_that_say_nothing_are_refused():
    @vipl.program
    def impossible():
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        vipl.factor("wall", jnp.where(mu > 1e6, 0.0, -jnp.inf))

    for call in (lambda p: p.expectation(lambda draw: draw["mu"]), lambda p: p.resample(jax.random.key(0), 10)):
        with pytest.raises(vipl.DensityError, match="every weight is zero"):
            call(posterior(program=impossible()))


def test_subsamples_are_refused_and_the_guide_serves():
    @vipl.program
    def minibatched(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        with vipl.plate("data", y.shape[0], subsample_size=10) as index:
            vipl.sample("y", dist.Normal(mu, 1.0), obs=y[index])

    fitted = posterior(program=minibatched(jnp.linspace(0.0, 1.0, 101)))
    with pytest.raises(vipl.DensityError, match="subsamples of the data"):
        fitted.expectation(lambda draw: draw["mu"])
    mean, se = fitted.expectation(lambda draw: draw["mu"], corrected=False)
    assert abs(mean - (MEAN + 0.5 * SD)) < 4.5 * se
