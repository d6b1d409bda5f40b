"""Divergences by self-normalised weights: value and gradient are those of the mean over K draws, by quadrature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import DATUM, POSTERIOR, THETA, exact_mean, of_parameters, sample
from helpers import assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

EVIDENCE = -0.5 * (DATUM - THETA[2]) ** 2 / 2 - 0.5 * np.log(4 * np.pi)  # with the prior's mean of THETA
WIDE = np.array([-0.4, -0.2, THETA[2]])  # a guide whose weights have few moments, but have them
FUNCTIONS = {
    "reverse": lambda t: -jnp.log(t),
    "forward": lambda t: t * jnp.log(t),
    "chi squared": lambda t: (t - 1) ** 2,
    "hellinger": lambda t: (jnp.sqrt(t) - 1) ** 2,
    "total variation": lambda t: jnp.abs(t - 1) / 2,
}


def check(objective, mean, count=100_000, theta=THETA, fraction=0.03):
    """Check value and gradient to a fraction of the gradient's length."""
    exact = jax.value_and_grad(mean)(jnp.array(theta))
    found = sample(jax.value_and_grad(of_parameters(objective), argnums=1), draws(count), jnp.array(theta))
    assert_unbiased(found, exact, resolution=fraction * float(jnp.linalg.norm(exact[1])))
    return found[0]


def symmetric(log_weights):
    """The formula as it is printed."""
    weights = jnp.exp(log_weights)
    share = weights / jnp.sum(weights, axis=-1, keepdims=True)
    return 0.5 * jnp.sum((1 / log_weights.shape[-1] - share) * log_weights, axis=-1)


def normalised(f):
    def mean(log_weights):
        weights = jnp.exp(log_weights)
        return -jnp.mean(f(weights / jnp.mean(weights, axis=-1, keepdims=True)), axis=-1)

    return mean


def test_symmetric_divergence():
    values = check(objectives.symmetric_kl(2), exact_mean(symmetric, 2), 200_000, WIDE)
    assert (values < 0).all()


@pytest.mark.parametrize("name", ["reverse", "forward", "chi squared", "hellinger"])
def test_divergence(name):
    values = check(objectives.f_divergence(FUNCTIONS[name], 2), exact_mean(normalised(FUNCTIONS[name]), 2))
    assert (values <= 0).all()


@pytest.mark.parametrize("name", ["reverse", "hellinger"])
def test_divergence_with_a_constant(name):
    """The mean is that of one draw for every K, and the evidence that is given has no derivative of its own."""
    f = FUNCTIONS[name]
    mean = exact_mean(lambda log_weights: -jnp.mean(f(jnp.exp(log_weights - EVIDENCE)), axis=-1), 1)
    check(objectives.f_divergence(f, 3, log_evidence=EVIDENCE), mean, theta=WIDE)


def test_unnormalised_bound_of_the_logarithm_is_that_of_the_evidence(key):
    """With K = 1 it is the evidence lower bound, draw by draw."""
    bound = of_parameters(objectives.f_divergence(FUNCTIONS["reverse"], 1, log_evidence=0.0))
    due = of_parameters(objectives.iwelbo(1))
    for function in (lambda f: f, lambda f: jax.grad(f, argnums=1)):
        np.testing.assert_allclose(-function(bound)(key, THETA), -function(due)(key, THETA), rtol=1e-10)


DIVERGENCES = {
    "symmetric": objectives.symmetric_kl(16),
    **{name: objectives.f_divergence(f, 16) for name, f in FUNCTIONS.items()},
}


@pytest.mark.parametrize("name", DIVERGENCES)
def test_nothing_is_left_at_the_posterior(name):
    values = sample(of_parameters(DIVERGENCES[name]), 100, jnp.array(POSTERIOR))
    np.testing.assert_allclose(values, 0.0, atol=1e-10)


def divergences(theta):
    """Return KL(q‖p) and KL(p‖q) of the guide and the posterior, by the formula for normal distributions."""
    loc, variance = (theta[2] + DATUM) / 2, 0.5
    own = jnp.exp(2 * theta[1])
    ratio, gap = own / variance, (theta[0] - loc) ** 2
    reverse = 0.5 * (ratio - 1 - jnp.log(ratio) + gap / variance)
    return reverse, 0.5 * (1 / ratio - 1 + jnp.log(ratio) + gap / own)


def test_divergences_are_right_as_the_draws_grow():
    """Below by about 1/K: for a guide that covers the posterior, whose weights have a variance."""
    theta = np.array([0.2, -0.1, 0.0])
    reverse, forward = divergences(theta)
    due = {"symmetric": 0.5 * (reverse + forward), "reverse": reverse, "forward": forward}
    for name, divergence in due.items():
        make = objectives.symmetric_kl if name == "symmetric" else lambda k, f: objectives.f_divergence(f, k)
        shown = []
        for count in (10, 400):
            objective = make(count) if name == "symmetric" else make(count, FUNCTIONS[name])
            shown.append(-sample(of_parameters(objective), draws(2000), jnp.array(theta)).mean())
        assert 0 < divergence - shown[0] < 0.4 * divergence
        np.testing.assert_allclose(shown[1], divergence, rtol=0.03)


STATES = np.arange(3)
LOGITS = np.array([0.5, -0.2, 0.9])


@vipl.program
def finite_model(logits):
    z = vipl.sample("z", dist.Categorical(logits=logits))
    vipl.sample("y", dist.Normal(1.0 * z, 1.0), obs=0.4)


@vipl.program
def finite_guide(logits, estimator=None):
    vipl.sample("z", dist.Categorical(logits=logits), estimator=estimator)


@pytest.mark.parametrize("name", ["symmetric", "chi squared", "total variation"])
def test_discrete_guide_is_exact_by_enumeration(name, key):
    """Every pair of draws has its part, and the parameters of both programs their gradient."""
    f = FUNCTIONS.get(name)
    objective = objectives.symmetric_kl(2) if f is None else objectives.f_divergence(f, 2)
    function = symmetric if f is None else normalised(f)
    first, second = map(np.ravel, np.meshgrid(STATES, STATES))

    def mean(ours, theirs):
        log_q = jax.nn.log_softmax(ours)
        log_p = jax.nn.log_softmax(theirs) - 0.5 * (0.4 - STATES) ** 2 - 0.5 * np.log(2 * np.pi)
        log_weights = jnp.stack([(log_p - log_q)[first], (log_p - log_q)[second]], axis=-1)
        return jnp.sum(jnp.exp(log_q[first] + log_q[second]) * function(log_weights))

    def estimate(ours, theirs):
        return objective(key, finite_model(theirs), finite_guide(ours, estimators.Enumerate()))

    found = jax.jit(jax.value_and_grad(estimate, argnums=(0, 1)))(LOGITS, LOGITS[::-1])
    due = jax.value_and_grad(mean, argnums=(0, 1))(LOGITS, LOGITS[::-1])
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12), found, due)


def test_weights_that_are_constants_are_seen(monkeypatch):
    """Wrong by the derivative of the self-normalised weights."""
    glob = objectives.symmetric_kl.__globals__
    weights = glob["normalised_weights"]
    monkeypatch.setitem(glob, "normalised_weights", lambda *args: jax.lax.stop_gradient(weights(*args)))
    with pytest.raises(AssertionError, match="standard errors"):
        check(objectives.symmetric_kl(2), exact_mean(symmetric, 2), 200_000, WIDE)


def test_a_mean_weight_that_is_a_constant_is_seen(monkeypatch):
    glob = objectives.f_divergence.__globals__
    monkeypatch.setitem(glob, "log_power_mean", lambda x, e: jax.lax.stop_gradient(jax.nn.logsumexp(x)) - np.log(2))
    with pytest.raises(AssertionError, match="standard errors"):
        check(objectives.f_divergence(FUNCTIONS["hellinger"], 2), exact_mean(normalised(FUNCTIONS["hellinger"]), 2))


def test_a_sum_of_weights_for_their_mean_is_seen(monkeypatch):
    monkeypatch.setitem(objectives.f_divergence.__globals__, "log_power_mean", lambda x, e: jax.nn.logsumexp(x))
    with pytest.raises(AssertionError, match="standard errors"):
        check(objectives.f_divergence(FUNCTIONS["hellinger"], 2), exact_mean(normalised(FUNCTIONS["hellinger"]), 2))
