"""Ancestors as sites: shapes, densities, and unbiased gradients by their scores, against enumeration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased
from unit.programs.resampling.reference import log_weights, vectors

import vipl
from vipl import estimators
from vipl.programs.resampling import SCHEMES, SystematicAncestors
from vipl.programs.resampling.multinomial import MultinomialAncestors

pytestmark = pytest.mark.usefixtures("quick_compilation")

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)
SIZE = 4
LOG_WEIGHTS = jnp.asarray(log_weights("four"), jnp.float32)
WORTH = jnp.array([[0.5, -1.0, 2.0, 0.3], [1.0, 0.2, -0.7, 0.4], [0.1, 0.9, 0.8, -1.5], [2.0, 0.0, 0.5, 1.0]])


def cost(ancestors):
    """Cost of ancestors, `(..., 4)`: it depends on who is whose parent, and is no sum over particles."""
    return jnp.sum(WORTH[jnp.arange(SIZE), ancestors], -1) ** 2


class SystematicScoredAsMultinomial(SystematicAncestors):
    def _log_pmf(self, value):
        return MultinomialAncestors._log_pmf(self, value)


def check_gradient(law, exact_law, key, *, num_draws=40_000):
    """Check the gradient of an expected cost against that of the sum over all ancestors, and over slots if any."""

    @vipl.expectation
    def objective(x):
        value = vipl.sample("a", law(x), estimator=estimators.ScoreFunction(baseline=2.0))
        return cost(value[..., :SIZE])

    def exact(x):
        every = jnp.asarray(vectors(SIZE))
        if exact_law(x).event_shape == (SIZE,):
            return jnp.sum(jnp.exp(exact_law(x).log_prob(every)) * cost(every))
        value = jnp.concatenate([jnp.tile(every, (SIZE, 1)), jnp.repeat(jnp.arange(SIZE), len(every))[:, None]], -1)
        return jnp.sum(jnp.exp(exact_law(x).log_prob(value)) * cost(value[:, :SIZE]))

    both = jax.jit(jax.vmap(jax.value_and_grad(objective, argnums=1), in_axes=(0, None)))
    found = both(jax.random.split(key, num_draws), LOG_WEIGHTS)
    assert_unbiased(found, jax.jit(jax.value_and_grad(exact))(LOG_WEIGHTS), resolution=0.5)


@pytest.mark.statistical
@SCHEME
def test_gradients_by_scores_are_unbiased(scheme, key):
    check_gradient(SCHEMES[scheme].law, SCHEMES[scheme].law, key)


@pytest.mark.statistical
@SCHEME
def test_gradients_given_a_retained_particle_are_unbiased(scheme, key):
    law = SCHEMES[scheme].conditional
    check_gradient(lambda x: law(x, 1), lambda x: law(x, 1), key)


@pytest.mark.statistical
def test_the_score_of_another_law_is_seen(key):
    with pytest.raises(AssertionError, match="standard errors"):
        check_gradient(SystematicScoredAsMultinomial, SystematicAncestors, key)


@pytest.mark.statistical
@SCHEME
def test_resampling_by_a_rule_inside_a_plate(scheme, key):
    """Two rows of weights in a plate, one of which is resampled: the other's costs have no derivative."""
    x = jnp.stack([LOG_WEIGHTS, 0.1 * LOG_WEIGHTS])

    @vipl.expectation
    def objective(x):
        with vipl.plate("rows", 2):
            uneven = 1 / jnp.sum(jax.nn.softmax(x) ** 2, -1) < 3.0
            value = vipl.sample("a", SCHEMES[scheme].law(x, uneven), estimator=estimators.ScoreFunction(baseline=2.0))
        return jnp.sum(cost(value))

    def exact(x):
        every = jnp.asarray(vectors(SIZE))
        return jnp.sum(jnp.exp(SCHEMES[scheme].law(x[0]).log_prob(every)) * cost(every)) + cost(jnp.arange(SIZE))

    both = jax.jit(jax.vmap(jax.value_and_grad(objective, argnums=1), in_axes=(0, None)))
    assert_unbiased(both(jax.random.split(key, 40_000), x), jax.jit(jax.value_and_grad(exact))(x), resolution=0.5)


@SCHEME
def test_sites_of_every_shape(scheme, key):
    x = jnp.stack([LOG_WEIGHTS, -LOG_WEIGHTS])

    @vipl.program
    def program(x):
        law, conditional = SCHEMES[scheme].law, SCHEMES[scheme].conditional
        vipl.sample("plain", law(x))
        with vipl.plate("rows", 2):
            vipl.sample("plated", law(x[0]))
        vipl.vmap(lambda row: vipl.sample("lanes", law(row)))(x)

        def step(carry, row):
            kept = vipl.sample("steps", conditional(row, carry))
            return kept[-1], None

        jax.lax.scan(step, jnp.array(1), x)

    trace = jax.jit(vipl.simulate)(program(x), key)
    shapes = {"plain": (2, 4), "plated": (2, 4), "lanes": (2, 4), "steps": (2, 5)}
    assert {address: value.shape for address, value in trace.items()} == shapes
    law = SCHEMES[scheme].law
    carries = jnp.array([1, trace["steps"][0, -1]])
    exact = jnp.sum(law(x).log_prob(trace["plain"]) + law(x).log_prob(trace["lanes"]))
    exact += jnp.sum(law(x[0]).log_prob(trace["plated"]))
    exact += jnp.sum(SCHEMES[scheme].conditional(x, carries).log_prob(trace["steps"]))
    np.testing.assert_allclose(trace.log_density, exact, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(vipl.log_density)(program(x), trace), exact, rtol=1e-5)


def test_what_a_site_is_told(key):
    @vipl.expectation
    def objective(x, estimator=None):
        return cost(vipl.sample("a", SystematicAncestors(x), estimator=estimator))

    assert "ScoreFunction" in repr(objective.explain(LOG_WEIGHTS))
    with pytest.raises(vipl.VIPLError, match="differentiable sampler"):
        jax.grad(lambda x: objective(key, x, estimators.Reparam()))(LOG_WEIGHTS)
    with pytest.raises(vipl.VIPLError, match="finite"):
        jax.grad(lambda x: objective(key, x, estimators.Enumerate()))(LOG_WEIGHTS)
    model = vipl.program(lambda y: vipl.sample("a", SystematicAncestors(LOG_WEIGHTS), obs=y))
    with pytest.raises(vipl.SupportError, match="integers 0..3"):
        vipl.log_density(model(np.array([0, 4, 1, 1])), {})
