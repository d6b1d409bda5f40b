"""A posterior that was loaded without its data does what needs none, and says what the rest needs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def model(size, y=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("datum", size):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def guide():
    vipl.sample("mu", dist.Normal(vipl.param("loc", 0.8), 0.4))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    path = tmp_path_factory.mktemp("posterior") / "fit.vipl"
    fitted = vipl.infer(model(5, jnp.ones(5)), guide(), key=jax.random.key(0), num_steps=0, progress=False)
    fitted.save(path)
    return fitted, vipl.load_posterior(path, model(5), guide())


def test_what_needs_no_data(loaded):
    fitted, without = loaded
    assert without.verdict == fitted.verdict
    assert repr(without) == repr(fitted)
    estimate = without.expectation(lambda draw: draw["mu"], corrected=False)
    assert abs(estimate.mean - 0.8) < 4.5 * estimate.se
    tree = without.to_datatree(num_samples=10)
    assert set(tree.children) == {"posterior", "posterior_predictive"}
    assert tree["posterior_predictive"]["y"].shape == (1, 10, 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.diagnose(),
        lambda p: p.expectation(lambda draw: draw["mu"]),
        lambda p: p.resample(jax.random.key(0), 5),
        lambda p: p.check_against_nuts(jax.random.key(0)),
    ],
)
def test_what_needs_them_says_so(loaded, call):
    with pytest.raises(vipl.DensityError, match=r"without its data, 'y'(.|\n)*load_posterior\(path, model\(…\)\)"):
        call(loaded[1])


def test_with_the_data_again_the_judgement_is_the_same(loaded, tmp_path):
    fitted, _ = loaded
    fitted.save(tmp_path / "fit.vipl")
    again = vipl.load_posterior(tmp_path / "fit.vipl", model(5, jnp.ones(5)), guide())
    np.testing.assert_array_equal(again.diagnose().moments.corrected_mean, fitted.diagnose().moments.corrected_mean)
