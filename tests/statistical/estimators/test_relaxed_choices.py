"""Choices whose costs are evaluated between the points of their support too: unbiased, or biased and marked as such."""

import dataclasses
import itertools
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased
from jax import lax
from matrix.cells import Cell, run
from matrix.contexts import CONTEXTS
from matrix.judgement import WRONG
from zoo import FAMILIES

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.estimators.relaxed import rebar

pytestmark = [pytest.mark.statistical]

WEIGHTS = np.array([[1.2, -0.4, 0.3], [-0.8, 0.9, 0.5]])
DATA = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])


@vipl.program
def model(theta, data):
    with vipl.plate("n", 2):
        z = vipl.sample("z", dist.Bernoulli(0.3 * jnp.ones((2, 2))).to_event(1))
        vipl.sample("x", dist.Bernoulli(logits=z @ WEIGHTS + theta["bias"]).to_event(1), obs=data)


def guide_with(estimator):
    @vipl.program
    def guide(theta, data):
        with vipl.plate("n", 2):
            vipl.sample("z", dist.Bernoulli(logits=data @ theta["v"]).to_event(1), estimator=estimator)

    return guide


def elbo_with(guide):
    @vipl.expectation
    def elbo(theta):
        trace = vipl.simulate(guide(theta, DATA))
        return vipl.log_density(model(theta, DATA), trace) - trace.log_density

    return elbo


THETA = {"bias": np.array([0.2, -0.1, 0.4]), "v": np.array([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]])}


def exact(theta):
    """The sum over the four codes of every datum."""

    def one(x):
        logits = x @ theta["v"]
        parts = []
        for code in itertools.product((0.0, 1.0), repeat=2):
            z = jnp.array(code)
            log_q = jnp.sum(z * logits - jnp.logaddexp(0.0, logits))
            log_prior = jnp.sum(jnp.where(z == 1, jnp.log(0.3), jnp.log(0.7)))
            mean = z @ WEIGHTS + theta["bias"]
            parts.append(jnp.exp(log_q) * (log_prior + jnp.sum(x * mean - jnp.logaddexp(0.0, mean)) - log_q))
        return sum(parts)

    return sum(one(x) for x in jnp.asarray(DATA))


def line(params, s):
    return jnp.sum(params * s, axis=-1)


UNBIASED = {
    "REBAR": estimators.REBAR(0.4, 0.8),
    "RELAX": estimators.RELAX(line, np.array([0.5, -0.7]), scale=0.3),
    "RELAX alone": estimators.RELAX(line, np.array([0.5, -0.7]), scale=0.0),
}


@pytest.mark.parametrize("place", ["site", "override", "nested"])
@pytest.mark.parametrize("estimator", UNBIASED.values(), ids=UNBIASED)
def test_elbo_of_programs(estimator, place, x64):
    """The model's site of that address takes the values between its points too."""
    if place == "site":
        elbo = elbo_with(guide_with(estimator))
    else:
        elbo = elbo_with(guide_with(None)).with_estimators({"z": estimator})
    if place == "nested":
        inner = elbo
        elbo = vipl.expectation(lambda theta: vipl.expect(inner, theta))
    keys = jax.random.split(jax.random.key(0), 6_000)
    found = jax.jit(jax.vmap(lambda key: jax.value_and_grad(elbo, argnums=1)(key, THETA)))(keys)
    assert_unbiased(found, jax.value_and_grad(exact)(THETA), resolution=0.15)


def test_relaxing_lowers_the_variance(x64):
    keys = jax.random.split(jax.random.key(0), 2_000)

    def variance(estimator):
        elbo = elbo_with(guide_with(estimator))
        draws = jax.jit(jax.vmap(lambda key: jax.grad(elbo, 1)(key, THETA)["v"]))(keys)
        return float(jnp.sum(jnp.var(draws, axis=0)))

    assert variance(estimators.REBAR(1.0)) < 0.45 * variance(estimators.ScoreFunction())


def test_the_temperature_is_trained_by_the_squared_gradient(x64):
    """E[g²] has the derivative of the variance, since E[g] does not depend on the temperature."""

    def squared(log_temperature, key):
        elbo = elbo_with(guide_with(estimators.REBAR(jnp.exp(log_temperature))))
        return jnp.sum(jax.grad(elbo, 1)(key, THETA)["v"] ** 2)

    keys = jax.random.split(jax.random.key(0), 4_000)
    slopes = jax.jit(jax.vmap(jax.grad(squared), (None, 0)))(1.0, keys)
    step = 0.2
    both = jax.jit(jax.vmap(squared, (None, 0)))
    ends = [jnp.mean(both(1.0 + sign * step, keys)) for sign in (1, -1)]
    assert_unbiased(slopes, (ends[0] - ends[1]) / (2 * step), resolution=0.5)


def test_values_and_densities_outside_of_an_expectation(key):
    program = guide_with(estimators.REBAR())
    trace = vipl.simulate(program(THETA, DATA), key)
    assert jnp.issubdtype(trace["z"].dtype, jnp.floating)
    assert set(np.unique(trace["z"])) <= {0.0, 1.0}
    plain = vipl.log_density(guide_with(None)(THETA, DATA), {"z": trace["z"].astype(int)})
    np.testing.assert_allclose(trace.log_density, plain, rtol=1e-6)
    assert vipl.log_density(program(THETA, DATA), {"z": np.full((2, 2), 0.5)}) == -np.inf


def test_extreme_probabilities_give_finite_gradients(key):
    @vipl.expectation(estimators={"z": estimators.REBAR()})
    def cost(logits):
        with vipl.plate("n", 4):
            return jnp.sum(vipl.sample("z", dist.Bernoulli(logits=logits)) ** 2)

    @vipl.expectation(estimators={"z": estimators.REBAR()})
    def by_probability(p):
        with vipl.plate("n", 2):
            return jnp.sum(vipl.sample("z", dist.Bernoulli(p)) ** 2)

    keys = jax.random.split(key, 2_000)
    logits = np.float32([-90.0, -20.0, 20.0, 90.0])
    assert np.isfinite(jax.jit(jax.vmap(lambda k: jax.grad(cost, 1)(k, logits)))(keys)).all()
    chances = np.float32([1e-30, 1 - 1e-7])
    assert np.isfinite(jax.jit(jax.vmap(lambda k: by_probability(k, chances)))(keys)).all()


class NoScore(rebar.REBAR):
    """The relaxation given the draw has the weight −η, without the score."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        score, scale, last = samples.weights
        return dataclasses.replace(samples, weights=jnp.stack([score, scale, lax.stop_gradient(last)]))


class Detached(rebar.REBAR):
    """The relaxation given the draw has no derivative."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        hard, soft, again = samples.values
        return dataclasses.replace(samples, values=jnp.stack([hard, soft, lax.stop_gradient(again)]))


class Lopsided(estimators.RELAX):
    """r(s̃) is not weighted by the score."""

    def _control(self, drawn, score):
        return super()._control(drawn, lax.stop_gradient(score))


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        NoScore(),
        Detached(),
        Lopsided(lambda p, s: p * s, 3.0, scale=0.0),
        estimators.GumbelSoftmax(1.0, biased=True),
        estimators.StraightThrough(1.0, biased=True),
    ],
    ids=lambda e: type(e).__name__,
)
def test_bias_is_seen(estimator, x64):
    assert run(Cell("", estimator, FAMILIES["bernoulli"], CONTEXTS["scalar"], True)).word == WRONG


def test_biased_estimators_want_to_be_asked_for():
    for cls in (estimators.GumbelSoftmax, estimators.StraightThrough):
        with pytest.raises(ValueError, match="biased=True"):
            cls(0.5)
        elbo = elbo_with(guide_with(cls(0.5, biased=True)))
        assert elbo.explain(THETA).choices[0].reason == "asked for; BIASED"
        strict = vipl.expectation(elbo.fn, strict=True)
        with pytest.raises(vipl.BiasError, match=r"(?s)'z'.*biased.*test_relaxed_choices"):
            strict(jax.random.key(0), THETA)


def test_a_cost_that_jumps_between_the_points_is_reported():
    @vipl.expectation(estimators={"z": estimators.REBAR()})
    def cost(p):
        return jnp.where(vipl.sample("z", dist.Bernoulli(p)) == 1, 3.0, 1.0)

    with pytest.warns(vipl.BiasWarning, match=r"(?s)'z'.*jump.*REBAR"):
        cost(jax.random.key(0), 0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        elbo_with(guide_with(estimators.REBAR()))(jax.random.key(0), THETA)


def test_a_function_of_the_wrong_shape():
    relax = estimators.RELAX(lambda params, s: params * s, 1.0)
    with pytest.raises(vipl.ShapeError, match=r"(?s)\(2, 2\).*\(2,\).*axis=-1"):
        elbo_with(guide_with(relax))(jax.random.key(0), THETA)


def test_other_distributions_are_refused():
    @vipl.expectation(estimators={"z": estimators.REBAR()})
    def cost(rate):
        return vipl.sample("z", dist.Poisson(rate)) * 1.0

    with pytest.raises(vipl.EstimatorError, match="OneHotCategorical"):
        cost(jax.random.key(0), 2.0)
