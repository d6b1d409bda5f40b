"""A file of another model or guide is refused by the first difference; one that no posterior wrote is refused too."""

import jax.numpy as jnp
import numpy as np
import pytest
from unit.infer.storage.schools import SIGMA, Y, fingerprint, fit, refusal, schools

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.infer.storage import archive

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "fit.vipl"
    fit().save(path)
    return path


@vipl.program
def without_tau(sigma, y=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("school", sigma.shape[0]):
        theta = vipl.sample("theta", dist.Normal(mu, 3.0))
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)


@vipl.program
def with_slope(sigma, y=None):
    vipl.sample("slope", dist.Normal(0.0, 1.0))
    schools.fn(sigma, y)


@vipl.program
def other_prior(sigma, y=None):
    mu = vipl.sample("mu", dist.Cauchy(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", sigma.shape[0]):
        theta = vipl.sample("theta", dist.Normal(mu, tau))
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)


@vipl.program
def other_data(sigma, z=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", sigma.shape[0]):
        theta = vipl.sample("theta", dist.Normal(mu, tau))
        vipl.sample("z", dist.Normal(theta, sigma), obs=z)


@vipl.program
def own_guide(width=4):
    vipl.sample("mu", dist.Normal(vipl.param("mu.loc", 0.0), 1.0))
    vipl.sample("tau", dist.LogNormal(vipl.param("tau.loc", 0.0), 1.0))
    vipl.sample("theta", dist.Normal(vipl.param("theta.loc", jnp.zeros(width)), 1.0).to_event(1))


@pytest.mark.parametrize(
    ("model", "guide", "what"),
    [
        (
            schools(SIGMA[:3]),
            None,
            "latent site 'theta' as Normal of shape (4,) and type float32, and in schools it is",
        ),
        (without_tau(SIGMA), None, "is of a model with the latent site 'tau', which without_tau has not"),
        (with_slope(SIGMA), None, "is of a model without the latent site 'slope', which with_slope has"),
        (
            other_prior(SIGMA),
            None,
            "latent site 'mu' as Normal of shape () and type float32, and in other_prior it is C",
        ),
        (other_data(SIGMA), None, "is of a model without the latent site 'z', which other_data has"),
        (other_data(SIGMA, Y), None, "is of a model with the observed site 'y', which other_data has not"),
        (schools(SIGMA) | {"mu": 0.0}, None, "is of a model with the latent site 'mu', which schools has not"),
        (schools(SIGMA), guides.FullRank(), "is of the guide mean_field, and here the guide is full_rank"),
        (schools(SIGMA), own_guide(), "has params['mu.scale'], and here there is none"),
    ],
)
def test_another_model_or_guide_is_named(saved, model, guide, what):
    assert what in refusal(saved, model, guide)


@vipl.program
def other_guide():
    vipl.sample("mu", dist.Cauchy(vipl.param("mu.loc", 0.0), 1.0))
    vipl.sample("tau", dist.LogNormal(vipl.param("tau.loc", 0.0), 1.0))
    vipl.sample("theta", dist.Normal(vipl.param("theta.loc", jnp.zeros(4)), 1.0).to_event(1))


def test_a_guide_of_ones_own(tmp_path):
    posterior = fit(guide=own_guide())
    posterior.save(tmp_path / "fit")
    assert fingerprint(vipl.load_posterior(tmp_path / "fit", schools(SIGMA), own_guide())) == fingerprint(posterior)
    assert "is of the guide own_guide, and here the guide is mean_field" in refusal(tmp_path / "fit", schools(SIGMA))
    assert "params['theta.loc'] of shape (4,)" in refusal(tmp_path / "fit", schools(SIGMA), own_guide(1))
    what = refusal(tmp_path / "fit", schools(SIGMA), other_guide())
    assert "latent site 'mu' as Normal of shape () and type float32, and in other_guide it is Cauchy" in what


REQUIRED = ["model", "guide", "guide_name", "status", "num_steps", "declared", "only_arrays", "elbo_samples", "trees"]
WRONG = [{}, {"latent": {}}, {"latent": 1, "observed": {}}, {"latent": {"mu": 1}, "observed": {}}, [], None, 1.5, "?"]


@pytest.mark.parametrize("name", [*REQUIRED, "judgement"])
def test_what_is_not_as_it_was_stored(saved, tmp_path, name):
    found = archive.read(saved, "posterior")
    for value in WRONG:
        if (name, value) in (("elbo_samples", None), ("judgement", None), ("status", "?")):
            continue
        archive.write(tmp_path / "wrong", "posterior", found.metadata | {name: value}, found.arrays)
        refusal(tmp_path / "wrong", schools(SIGMA))


def test_arrays_that_are_missing_or_others(saved, tmp_path):
    found = archive.read(saved, "posterior")
    for name in found.arrays:
        fewer = {other: array for other, array in found.arrays.items() if other != name}
        archive.write(tmp_path / "fewer", "posterior", found.metadata, fewer)
        refusal(tmp_path / "fewer", schools(SIGMA))
    for name in ("key", "elbo", "psis.khat", "params['mu.loc']"):
        archive.write(tmp_path / "other", "posterior", found.metadata, found.arrays | {name: np.zeros((2, 3))})
        refusal(tmp_path / "other", schools(SIGMA))
