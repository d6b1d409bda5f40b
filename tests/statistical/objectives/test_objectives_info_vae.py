"""InfoVAE: value and gradient are those of a closed form, for normal codes and for discrete ones."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import objectives

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

DATA = np.array([0.4, -1.2, 2.0])
THETA = np.array([0.6, -0.4, 0.3])  # slope and log scale of the guide, mean of the prior
WEIGHT, WIDTH = 3.0, 0.8


@vipl.program
def model(mean, batch=None):
    with vipl.plate("n", 3, subsample_size=batch) as index:
        z = vipl.sample("z", dist.Normal(mean, 1.0))
        vipl.sample("y", dist.Normal(2.0 * z, 1.0), obs=DATA if index is None else jnp.asarray(DATA)[index])


@vipl.program
def guide(slope, log_scale, batch=None):
    with vipl.plate("n", 3, subsample_size=batch) as index:
        y = DATA if index is None else jnp.asarray(DATA)[index]
        vipl.sample("z", dist.Normal(slope * y, jnp.exp(log_scale)))


def kernel(first, second, variance):
    """Return the mean of the kernel of normal draws over all pairs of their means; the variances are added."""
    total = WIDTH**2 + variance
    gaps = first[:, None] - second[None, :]
    return jnp.mean(WIDTH / jnp.sqrt(total) * jnp.exp(-0.5 * gaps**2 / total))


def exact(theta, beta, data=DATA):
    """Return the mean of the objective on a minibatch, scaled to all the data."""
    means, scale, prior = theta[0] * data, jnp.exp(theta[1]), jnp.full(1, theta[2])
    likelihood = -0.5 * ((data - 2 * means) ** 2 + 4 * scale**2) - 0.5 * jnp.log(2 * jnp.pi)
    divergence = 0.5 * (scale**2 + (means - theta[2]) ** 2 - 1) - theta[1]
    mmd = kernel(means, means, 2 * scale**2) + kernel(prior, prior, 2.0) - 2 * kernel(means, prior, scale**2 + 1)
    return 3 / len(data) * jnp.sum(likelihood - beta * divergence) - WEIGHT * mmd


def check(mean, batch=None, beta=0.3, num_particles=2, count=60_000, fraction=0.06):
    """Check value and gradient to a fraction of the gradient's length."""

    def estimate(theta, key):
        objective = objectives.info_vae("z", WEIGHT, WIDTH, num_particles, beta)
        return objective(key, model(theta[2], batch), guide(theta[0], theta[1], batch))

    keys = jax.random.split(jax.random.key(0), draws(count))
    found = jax.jit(jax.vmap(jax.value_and_grad(estimate), (None, 0)))(jnp.array(THETA), keys)
    value, gradient = jax.value_and_grad(mean)(jnp.array(THETA))
    assert_unbiased(found, (value, gradient), resolution=fraction * np.linalg.norm(gradient))


@pytest.mark.parametrize(("beta", "num_particles"), [(0.0, 2), (1.0, 2), (0.3, 3)])
def test_value_and_gradient(beta, num_particles):
    check(lambda theta: exact(theta, beta), beta=beta, num_particles=num_particles)


def test_minibatch():
    """Each minibatch has an aggregate of its own."""

    def mean(theta):
        return jnp.mean(jnp.stack([exact(theta, 0.3, DATA[list(two)]) for two in itertools.combinations(range(3), 2)]))

    check(mean, batch=2)


@pytest.mark.parametrize("what", ["all pairs", "standard prior", "one datum"])
def test_another_penalty_is_seen(what, monkeypatch):
    """Pairs of a draw with itself; a prior that is not the model's; each code compared alone, not the aggregate."""
    glob = objectives.info_vae.__globals__
    mmd = glob["squared_mmd"]
    wrong = {
        "all pairs": lambda x, y, h: mmd(jnp.repeat(x, 2, 0), jnp.repeat(y, 2, 0), h),
        "standard prior": lambda x, y, h: mmd(x, y - jnp.mean(y) + 0.0, h),
        "one datum": lambda x, y, h: jnp.mean(jnp.stack([mmd(x[:, i, None], y[:, i, None], h) for i in range(3)])),
    }
    monkeypatch.setitem(glob, "squared_mmd", wrong[what])
    with pytest.raises(AssertionError, match="standard errors"):
        check(lambda theta: exact(theta, 0.3), fraction=0.1)


@vipl.program
def coins(logit):
    with vipl.plate("n", 2):
        z = vipl.sample("z", dist.Bernoulli(logits=logit))
        vipl.sample("y", dist.Normal(1.0 * z, 1.0), obs=DATA[:2])


@vipl.program
def guessed(logits):
    with vipl.plate("n", 2):
        vipl.sample("z", dist.Bernoulli(logits=logits))


def test_discrete_codes():
    """Of two values, 0 and 1: the mean kernel of two coins is by hand."""
    apart = np.exp(-0.5 / WIDTH**2)

    def mean(theta):
        q, p = jax.nn.sigmoid(theta[:2]), jax.nn.sigmoid(theta[2])
        logs = q * (theta[:2] - theta[2]) + jax.nn.log_sigmoid(-theta[:2]) - jax.nn.log_sigmoid(-theta[2])
        fits = -0.5 * (q * (DATA[:2] - 1) ** 2 + (1 - q) * DATA[:2] ** 2) - 0.5 * np.log(2 * np.pi)
        differs = lambda a, b: a * (1 - b) + b * (1 - a)  # noqa: E731
        a, b = jnp.mean(q), p
        mmd = (1 - apart) * (2 * differs(a, b) - differs(a, a) - differs(b, b))
        return jnp.sum(fits - 0.3 * logs) - WEIGHT * mmd

    def estimate(theta, key):
        return objectives.info_vae("z", WEIGHT, WIDTH, 2, 0.3)(key, coins(theta[2]), guessed(theta[:2]))

    keys = jax.random.split(jax.random.key(0), draws(120_000))
    found = jax.jit(jax.vmap(jax.value_and_grad(estimate), (None, 0)))(jnp.array(THETA), keys)
    value, gradient = jax.value_and_grad(mean)(jnp.array(THETA))
    assert_unbiased(found, (value, gradient), resolution=0.1 * np.linalg.norm(gradient))
