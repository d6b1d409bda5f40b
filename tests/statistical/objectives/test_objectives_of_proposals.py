"""Objectives whose draws are constants to the derivative: exact by enumeration, for every estimator and construct."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives
from vipl.tracing.propose import propose

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

WEIGHTS = np.array([0.7, -1.1])
THETA = np.array([0.4, -0.6, 0.3])  # two logits of the guide, one of the prior
STATES = np.array(list(itertools.product((0, 1), repeat=2)))


@vipl.program
def model(logit):
    with vipl.plate("n", 2):
        b = vipl.sample("b", dist.Bernoulli(logits=logit))
    vipl.sample("y", dist.Normal(WEIGHTS @ b, 0.5), obs=0.6)


@vipl.program
def guide(logits, estimator=None):
    with vipl.plate("n", 2):
        vipl.sample("b", dist.Bernoulli(logits=logits), estimator=estimator)


def log_chance(logits, b):
    return jnp.sum(b * jax.nn.log_sigmoid(logits) + (1 - b) * jax.nn.log_sigmoid(-logits), axis=-1)


def exact(function):
    """Return the mean over two particles of `function(log p, log q, weights)` of both, drawn with fixed parameters."""

    def mean(theta):
        fixed = lax.stop_gradient(theta)
        log_p, log_q = densities(theta)
        at_p, at_q = densities(fixed)
        total = 0.0
        for pair in itertools.product(range(len(STATES)), repeat=2):
            pair = np.array(pair)
            weights = jax.nn.softmax((at_p - at_q)[pair])
            total += jnp.exp(jnp.sum(at_q[pair])) * function(log_p[pair], log_q[pair], weights)
        return total

    return mean


def densities(theta):
    log_prior = log_chance(theta[2], STATES)
    log_likelihood = -0.5 * ((0.6 - STATES @ WEIGHTS) / 0.5) ** 2 - np.log(0.5 * np.sqrt(2 * np.pi))
    return log_prior + log_likelihood, log_chance(theta[:2], STATES)


OBJECTIVES = {
    "wake_p": (objectives.wake_p(2), lambda log_p, log_q, w: w @ log_p),
    "wake_q": (objectives.wake_q(2), lambda log_p, log_q, w: w @ log_q),
    "log_variance": (objectives.log_variance(2), lambda log_p, log_q, w: -0.5 * jnp.var(log_p - log_q, ddof=1)),
}
ESTIMATORS = [
    None,
    estimators.Enumerate(),
    estimators.ScoreFunction(),
    estimators.MeasureValued(),
    estimators.REBAR(),
]


def of_theta(objective, estimator=None):
    return lambda key, theta: objective(key, model(theta[2]), guide(theta[:2], estimator))


def check(function, mean, count=80_000, fraction=0.05):
    """Check value and gradient to a fraction of the gradient's length."""
    value, gradient = jax.value_and_grad(mean)(THETA)
    keys = jax.random.split(jax.random.key(0), draws(count))
    values, gradients = jax.jit(jax.vmap(jax.value_and_grad(function, argnums=1), (0, None)))(keys, THETA)
    assert_unbiased(values, value, resolution=fraction * abs(value))
    assert_unbiased(gradients, gradient, resolution=fraction * np.linalg.norm(gradient))
    return gradients


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_value_and_gradient(name, estimator):
    """Whatever the estimator, since it has nothing to differentiate; those that sum have no variance."""
    objective, function = OBJECTIVES[name]
    gradients = check(of_theta(objective, estimator), exact(function))
    still = {"wake_p": slice(0, 2), "wake_q": slice(2, 3), "log_variance": slice(0, 0)}[name]
    assert not gradients[:, still].any()
    if isinstance(estimator, estimators.Enumerate):
        np.testing.assert_allclose(gradients[0], jax.grad(exact(function))(THETA), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_draws_that_are_differentiated_are_seen(monkeypatch, name):
    """`simulate` in place of `propose`."""
    objective, function = OBJECTIVES[name]
    monkeypatch.setitem(objective.fn.__globals__, "propose", vipl.simulate)
    with pytest.raises(AssertionError, match="standard errors"):
        check(of_theta(objective, estimators.ScoreFunction()), exact(function), 160_000, 0.2)


def test_log_variance_has_the_gradient_of_the_evidence_lower_bound():
    """In the guide's parameters, by the score; exact by enumeration of one particle."""

    def bound(theta):
        log_p, log_q = densities(theta)
        return jnp.exp(log_q) @ (log_p - log_q)

    due = jax.grad(bound)(THETA)[:2]
    objective = of_theta(objectives.log_variance(2), estimators.Enumerate())
    found = jax.jit(jax.grad(objective, argnums=1))(jax.random.key(0), THETA)
    np.testing.assert_allclose(found[:2], due, rtol=1e-10)


def test_wake_phase_of_the_model_is_the_importance_weighted_bound():
    bound = of_theta(objectives.iwelbo(2), estimators.Enumerate())
    wake_p = of_theta(objectives.wake_p(2), estimators.Enumerate())
    due, found = (jax.jit(jax.grad(f, argnums=1))(jax.random.key(0), THETA)[2] for f in (bound, wake_p))
    np.testing.assert_allclose(found, due, rtol=1e-10)


def closed_over(theta):
    @vipl.program
    def inner():
        with vipl.plate("n", 2):
            vipl.sample("b", dist.Bernoulli(logits=theta))

    return inner()


def in_scan(theta):
    @vipl.program
    def inner(theta):
        lax.scan(lambda _, t: (None, vipl.sample("b", dist.Bernoulli(logits=t))), None, theta)

    return inner(theta)


def lanes(theta):
    @vipl.program
    def inner(theta):
        vipl.vmap(lambda t: vipl.sample("b", dist.Bernoulli(logits=t)))(theta)

    return inner(theta)


@vipl.program
def model_in_lanes(logit):
    b = vipl.vmap(lambda: vipl.sample("b", dist.Bernoulli(logits=logit)), axis_size=2)()
    vipl.sample("y", dist.Normal(WEIGHTS @ b, 0.5), obs=0.6)


@pytest.mark.parametrize("written", [closed_over, in_scan, lanes], ids=lambda f: f.__name__)
def test_programs(written):
    """Parameters that are closed over, and sites in loops and lanes."""
    make = model if written is closed_over else model_in_lanes
    for objective, function in OBJECTIVES.values():
        check(lambda key, t, o=objective: o(key, make(t[2]), written(t[:2])), exact(function))


def test_transformed_and_continuous_choices():
    """The density of a value that is pushed forward, at fixed values: E log q of a log-normal, by its moments."""

    @vipl.program
    def positive(loc, scale):
        vipl.sample("x", dist.LogNormal(loc, scale))

    @vipl.expectation
    def density(loc, scale):
        return propose(positive(loc, scale)).log_density

    keys = jax.random.split(jax.random.key(0), 1000)
    gradients = jax.jit(jax.vmap(jax.grad(density, argnums=(1, 2)), (0, None, None)))(keys, 0.3, 0.8)
    choices = jax.vmap(lambda key: vipl.expectation(lambda: (0.0, propose(positive(0.3, 0.8))["x"]), has_aux=True)(key))
    z = (jnp.log(choices(keys)[1]) - 0.3) / 0.8
    np.testing.assert_allclose(gradients[0], z / 0.8, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gradients[1], (z**2 - 1) / 0.8, rtol=1e-9, atol=1e-9)
