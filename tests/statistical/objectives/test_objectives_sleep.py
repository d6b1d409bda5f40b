"""The sleep phase is exact by enumeration, and its gradient that of the divergences from the posteriors."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("quick_compilation", "x64")]

THETA = np.array([0.4, -0.6, 1.1, 0.3])  # logits of the guide: intercepts, and slope; logit of the prior
STATES = np.array(list(itertools.product((0, 1), repeat=2)))


@vipl.program
def model(logit, estimator=None):
    with vipl.plate("n", 2):
        z = vipl.sample("z", dist.Bernoulli(logits=logit), estimator=estimator)
    vipl.sample("y", dist.Bernoulli(0.2 + 0.45 * z[0] * (1 - 0.5 * z[1])), estimator=estimator)


@vipl.program
def guide(y, theta):
    with vipl.plate("n", 2):
        vipl.sample("z", dist.Bernoulli(logits=theta[:2] + theta[2] * y))


def objective(estimator, theta, key):
    return objectives.sleep(key, model(theta[3], estimator), lambda data: guide(data["y"], theta))


def joint(logit):
    """Return p(z, y), `(4, 2)`, with all the states of z."""
    prior = jnp.prod(jax.nn.sigmoid((2 * STATES - 1) * logit), axis=1)
    chance = 0.2 + 0.45 * STATES[:, 0] * (1 - 0.5 * STATES[:, 1])
    return prior[:, None] * np.stack([1 - chance, chance], axis=1)


def log_guide(theta):
    """Return log q(z; y), `(4, 2)`."""
    logits = theta[:2] + theta[2] * np.arange(2)[:, None]
    return jnp.sum(jax.nn.log_sigmoid((2 * STATES[:, None] - 1) * logits), axis=-1)


def exact(theta):
    return jnp.sum(joint(jax.lax.stop_gradient(theta[3])) * log_guide(theta))


def divergences(theta):
    """Return the mean over data of KL(p(z | y)‖q(z; y))."""
    p = joint(theta[3])
    return jnp.sum(p * (jnp.log(p / p.sum(axis=0)) - log_guide(theta)))


def check(estimator, theta=THETA, count=120_000):
    keys = jax.random.split(jax.random.key(0), draws(count))
    function = jax.value_and_grad(lambda theta, key: objective(estimator, theta, key))
    values, gradients = jax.jit(jax.vmap(function, (None, 0)))(theta, keys)
    value, gradient = jax.value_and_grad(exact)(theta)
    assert_unbiased(values, value, resolution=0.05 * abs(value))
    assert_unbiased(gradients, gradient, resolution=0.05 * np.linalg.norm(gradient))
    return gradients


def test_gradient_is_that_of_the_divergences_from_the_posteriors():
    np.testing.assert_allclose(jax.grad(exact)(THETA)[:3], -jax.grad(divergences)(THETA)[:3], rtol=1e-10)


@pytest.mark.parametrize(
    "estimator",
    [None, estimators.Enumerate(), estimators.ScoreFunction(), estimators.REBAR()],
    ids=lambda e: type(e).__name__,
)
def test_value_and_gradient(estimator):
    """Whatever the estimator: it has nothing to differentiate, and the model no gradient."""
    gradients = check(estimator)
    assert not gradients[:, 3].any()
    if isinstance(estimator, estimators.Enumerate):
        np.testing.assert_allclose(gradients[0], jax.grad(exact)(THETA), rtol=1e-10, atol=1e-12)


def test_draws_that_are_differentiated_are_seen(monkeypatch):
    """`simulate` in place of `propose`: the model would learn to dream what the guide knows."""
    monkeypatch.setitem(objectives.sleep.fn.__globals__, "propose", vipl.simulate)
    with pytest.raises(AssertionError, match="standard errors"):
        check(estimators.ScoreFunction(), count=400_000)


def test_a_guide_of_other_data_is_seen(monkeypatch):
    """The datum is turned round on its way to the guide."""
    monkeypatch.setattr(guide, "fn", lambda y, theta, fn=guide.fn: fn(1 - y, theta))
    with pytest.raises(AssertionError, match="standard errors"):
        check(None)


@vipl.program
def normal_model():
    x = vipl.sample("x", dist.Normal(0.3, 1.0))
    vipl.sample("y", dist.Normal(2.0 * x, 0.5))


@vipl.program
def normal_guide(y, theta):
    vipl.sample("x", dist.Normal(theta[0] + theta[1] * y, jnp.exp(theta[2])))


def test_continuous_draws():
    """In moments of the model: E log N(x; a + b y, s), with x − a − b y normal too."""

    def mean(theta):
        at, variance = 0.3 - theta[0] - theta[1] * 0.6, (1 - 2 * theta[1]) ** 2 + 0.25 * theta[1] ** 2
        return -0.5 * (at**2 + variance) * jnp.exp(-2 * theta[2]) - theta[2] - 0.5 * jnp.log(2 * jnp.pi)

    def estimate(theta, key):
        return objectives.sleep(key, normal_model(), lambda data: normal_guide(data["y"], theta))

    theta = jnp.array([0.5, 0.2, -0.3])
    keys = jax.random.split(jax.random.key(0), draws(60_000))
    found = jax.jit(jax.vmap(jax.value_and_grad(estimate), (None, 0)))(theta, keys)
    value, gradient = jax.value_and_grad(mean)(theta)
    assert_unbiased(found, (value, gradient), resolution=0.05 * np.linalg.norm(gradient))


def test_a_fit_finds_the_posteriors_of_all_data():
    """One amortised guide: the posterior of x is normal, its mean linear in y, and known by algebra."""

    def estimate(theta, key):
        objective = objectives.sleep.with_num_samples(64)
        return objective(key, normal_model(), lambda data: normal_guide(data["y"], theta))

    def step(theta, key):
        return theta + 0.1 * jax.grad(estimate)(theta, key) * jnp.array([0.3, 0.03, 0.3]), theta

    keys = jax.random.split(jax.random.key(0), 3000)
    _, path = jax.jit(lambda theta: jax.lax.scan(step, theta, keys))(jnp.zeros(3))
    precision = 1 + 4 / 0.25
    due = np.array([0.3 / precision, 2 / 0.25 / precision, -0.5 * np.log(precision)])
    np.testing.assert_allclose(path[1000:].mean(axis=0), due, atol=0.02)
