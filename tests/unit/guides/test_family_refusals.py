"""Sites and options that guide families do not serve: refused by address, the user's line and a remedy."""

import re

import jax
import jax.numpy as jnp
import pytest
from guide_families import DIRECT, FAMILIES, POINTS

import vipl
import vipl.distributions as dist
from vipl import guides


@vipl.program
def counting():
    n = vipl.sample("n", dist.Poisson(3.0))
    vipl.sample("y", dist.Normal(n, 1.0), obs=2.0)


@vipl.program
def moving_bound():
    top = vipl.sample("top", dist.HalfNormal(1.0))
    x = vipl.sample("x", dist.Uniform(0.0, top))
    vipl.sample("y", dist.Normal(x, 1.0), obs=0.2)


@vipl.program
def subsample_in_scan():
    def step(carry, _):
        with vipl.plate("n", 10, subsample_size=2):
            x = vipl.sample("x", dist.Normal(0.0, 1.0))
        return carry + jnp.sum(x), None

    total, _ = jax.lax.scan(step, 0.0, length=3)
    vipl.sample("y", dist.Normal(total, 1.0), obs=0.2)


@vipl.program
def flipping():
    b = vipl.sample("b", dist.Bernoulli(0.3))
    vipl.sample("y", dist.Normal(b, 1.0), obs=0.2)


@vipl.program
def local():
    with vipl.plate("n", 10, subsample_size=2):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=jnp.zeros(2))


# The model, the kind of error, what it says, the line, the remedy.
UNSERVED = {
    "poisson": (
        counting,
        vipl.EstimatorError,
        r"\w+ has a category for each value of a discrete site, and site 'n' has .*integers",
        r"'n', .*test_family_refusals.py:\d+ in counting",
        "or a guide program with a distribution for this site",
    ),
    "moving bound": (
        moving_bound,
        vipl.SupportError,
        r"the support of site 'x' is not known before the model runs",
        r"'x', .*test_family_refusals.py:\d+ in moving_bound",
        "a site on fixed bounds and a transformation of its value",
    ),
    "subsample in a scan": (
        subsample_in_scan,
        vipl.ShapeError,
        r"plate 'n' around site 'x' draws a subsample in each step of a scan",
        r"'n', .*test_family_refusals.py:\d+ in (subsample_in_scan|step)",
        "open the plate around the scan",
    ),
}
CONTINUOUS_ONLY = {
    "discrete": (flipping, r"site 'b' is discrete", r"'b', .*:\d+ in flipping"),
    "subsampled": (local, r"site 'x' is in a subsampled plate", r"'x', .*:\d+ in local"),
}


def refused(model, family, error):
    with pytest.raises(error) as caught:
        vipl.infer(model(), family, key=jax.random.key(0), num_steps=1, progress=False)
    return caught.value


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", UNSERVED)
def test_what_no_family_serves(name, kind):
    model, error, what, where, fix = UNSERVED[kind]
    found = refused(model, FAMILIES[name], error)
    assert re.search(what, found.what)
    assert re.search(where, str(found.where))
    assert fix in found.fix


@pytest.mark.parametrize("name", [*POINTS, *DIRECT])
@pytest.mark.parametrize("kind", CONTINUOUS_ONLY)
def test_what_needs_a_density_of_continuous_sites(name, kind):
    model, what, where = CONTINUOUS_ONLY[kind]
    found = refused(model, FAMILIES[name], vipl.EstimatorError)
    assert found.what.startswith(type(FAMILIES[name]).__name__)
    assert re.search(what, found.what)
    assert re.search(where, str(found.where))
    assert "guides.MeanField()" in found.fix


@pytest.mark.parametrize(
    ("make", "what", "fix"),
    [
        (lambda: guides.LowRank(0), "rank is 0; it must be an int, at least 1", "rank=4"),
        (lambda: guides.LowRank(1.5), "rank is 1.5; it must be an int, at least 1", "rank=4"),
        (lambda: guides.LowRank(init_scale=0), "init_scale is 0; it must be a positive number", "init_scale=0.1"),
        (lambda: guides.Mixture(0), "num_components is 0; it must be an int, at least 1", "num_components=4"),
        (lambda: guides.Mixture(True), "num_components is True; it must be an int", "num_components=4"),
        (lambda: guides.Mixture(init_scale=-1.0), "init_scale is -1.0; it must be a positive", "init_scale=0.1"),
        (lambda: guides.Flow("planar"), "the kind of a flow is 'planar'", "'coupling' or 'autoregressive'"),
        (lambda: guides.Flow(num_layers=0), "num_layers is 0; it must be an int, at least 1", "num_layers=4"),
        (lambda: guides.Flow(width=0), "width is 0; it must be an int, at least 1", "width=4"),
        (lambda: guides.Flow(num_bins=-1), "num_bins is -1; it must be an int, at least 0", "num_bins=4"),
        (lambda: guides.Flow(init_scale=0.0), "init_scale is 0.0; it must be a positive number", "init_scale=0.1"),
    ],
)
def test_options(make, what, fix):
    with pytest.raises(vipl.ParameterError) as caught:
        make()
    assert what in caught.value.what
    assert re.search(r"test_family_refusals.py:\d+", str(caught.value.where))
    assert caught.value.fix == fix
