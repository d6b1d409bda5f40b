"""Annealed importance sampling: what it refuses, by name, and the programs that it takes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.tracing.survey import survey


@vipl.program
def model(y):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def guide(loc):
    vipl.sample("x", dist.Normal(loc, 0.7))


@vipl.program
def weighted():
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.factor("w", -x)


@vipl.program
def flip():
    vipl.sample("x", dist.Bernoulli(0.3))


@vipl.program
def circle():
    vipl.sample("x", dist.ProjectedNormal(jnp.ones(2)))


@vipl.program
def minibatch():
    with vipl.plate("n", 6, subsample_size=2):
        vipl.sample("x", dist.Normal(0.0, 1.0))


@vipl.program
def branches():
    lax.cond(jnp.array(True), lambda: vipl.sample("x", dist.Normal(0.0, 1.0)), lambda: vipl.sample("x", dist.Normal()))


@vipl.program
def lanes():
    vipl.vmap(lambda low: vipl.sample("x", dist.Uniform(low, 2.0)))(jnp.array([0.0, 1.0]))


def refused(kind, objective, model, guide, what, fix, key):
    with pytest.raises(kind) as caught:
        objective(key, model, guide)
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert __file__ in str(caught.value.where)


@pytest.mark.parametrize(
    ("program", "what", "fix"),
    [
        (flip(), "site 'x' is discrete: ais moves draws along gradients", "sum it out"),
        (minibatch(), "site 'x' is one of a minibatch: ais moves", "without subsample_size"),
        (branches(), "site 'x' is in exclusive branches: ais moves", "one site"),
        (lanes(), "site 'x' is in lanes of a loop or vmap and its support has parameters: ais moves", "a plate"),
        (circle(), "which has no unconstrained coordinates: ais moves", "another support"),
    ],
)
def test_sites_without_coordinates(program, what, fix, key):
    refused(vipl.EstimatorError, objectives.ais(2, 0.1), program, program, what, fix, key)


def test_a_guide_with_a_factor(key):
    refused(vipl.AddressError, objectives.ais(2, 0.1), model(1.0), weighted(), "evidence at 'w'", "only samples", key)


@pytest.mark.parametrize(
    ("sizes", "what"), [({"x": 0.1, "z": 0.1}, "a step size for 'z'"), ({}, "no step size for 'x'")]
)
def test_step_sizes_of_other_sites(sizes, what, key):
    refused(vipl.AddressError, objectives.ais(2, sizes), model(1.0), guide(0.0), what, "one for each", key)


@pytest.mark.parametrize(
    "mean", [jnp.abs, jax.nn.relu, lambda x: jnp.clip(x, 0, 1), jax.nn.leaky_relu], ids=["abs", "relu", "clip", "leaky"]
)
def test_a_slope_that_jumps(mean, key):
    """Continuous in itself, and fine for other objectives: here its derivative is a part of the path."""

    @vipl.program
    def kinked():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mean(x), 1.0), obs=0.5)

    refused(vipl.EstimatorError, objectives.ais(2, 0.1), kinked(), guide(0.0), "through a jump", "Reparam()", key)
    assert objectives.path_elbo(key, kinked(), guide(0.0)).shape == ()


def test_a_laplace_prior(key):
    @vipl.program
    def sharp():
        vipl.sample("x", dist.Laplace(0.0, 1.0))

    refused(vipl.EstimatorError, objectives.ais(2, 0.1), sharp(), guide(0.0), "through a jump", "Reparam()", key)


PRIORS = {
    "Gamma": dist.Gamma(2.0, 1.0),
    "Beta": dist.Beta(2.0, 3.0),
    "Dirichlet": dist.Dirichlet(jnp.array([1.0, 2.0, 3.0])),
    "Uniform": dist.Uniform(-1.0, 2.0),
    "StudentT": dist.StudentT(3.0, 0.0, 1.0),
    "TruncatedNormal": dist.TruncatedNormal(0.0, 1.0, low=-1.0),
    "mixture": dist.MixtureSameFamily(dist.Categorical(jnp.array([0.3, 0.7])), dist.Normal(jnp.array([0.0, 1.0]), 1.0)),
    "LKJCholesky": dist.LKJCholesky(3, 1.5),
    "MultivariateNormal": dist.MultivariateNormal(jnp.zeros(2), jnp.eye(2)),
}


@pytest.mark.parametrize("name", PRIORS)
def test_supports_and_formulas_that_are_served(name):
    """Mean-field guides have their images; no formula of a density is taken for a jump."""
    program = vipl.program(lambda: vipl.sample("x", PRIORS[name]))()
    guide, params = vipl.guides.MeanField().build(survey(program))
    plan = str(objectives.ais(2, 0.1).explain(program, vipl.with_params(guide, params)))
    assert plan.count("Reparam()") == 2
    assert "ais/momentum/x" in plan


@pytest.mark.parametrize("where", ["vmap", "scan"])
def test_sites_of_every_construct(where, key):
    """As in a plate: one key, one path."""
    shifts = jnp.array([0.2, -0.4, 0.9])

    def written(loc, observe):
        def one(shift):
            x = vipl.sample("x", dist.Normal(loc, 1.0))
            if observe:
                vipl.sample("y", dist.Normal(x, 1.0), obs=shift)

        if where == "vmap":
            vipl.vmap(one)(shifts)
        else:
            lax.scan(lambda _, shift: (None, one(shift)), None, shifts)

    @vipl.program
    def by_hand(loc, observe):
        with vipl.plate("n", 3):
            x = vipl.sample("x", dist.Normal(loc, 1.0))
            if observe:
                vipl.sample("y", dist.Normal(x, 1.0), obs=shifts)

    objective = objectives.ais(3, 0.2)
    program = vipl.program(written)
    found = objective(key, program(0.0, True), program(0.5, False))
    np.testing.assert_allclose(found, objective(key, by_hand(0.0, True), by_hand(0.5, False)), rtol=1e-4)


def test_step_sizes_by_site_and_coordinate(key):
    """As one number, where they are all the same."""
    one = objectives.ais(3, 0.2)(key, model(1.0), guide(0.0))
    for sizes in ({"x": 0.2}, {"x": jnp.array(0.2)}):
        np.testing.assert_allclose(objectives.ais(3, sizes)(key, model(1.0), guide(0.0)), one, rtol=1e-6)
    assert objectives.ais(3, {"x": 0.3})(key, model(1.0), guide(0.0)) != one


def test_a_minibatch_of_observations(key):
    """The path is that of the subsample's density: of data that are all the same, that of all of them."""

    @vipl.program
    def regression(batch):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        with vipl.plate("n", 6, subsample_size=batch) as index:
            vipl.sample("y", dist.Normal(x, 1.0), obs=jnp.full(index.shape, 0.5))

    found, due = (objectives.ais(3, 0.1)(key, regression(batch), guide(0.0)) for batch in (2, None))
    np.testing.assert_allclose(found, due, rtol=1e-5)
