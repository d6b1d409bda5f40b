"""Annealed importance sampling: value and gradient by quadrature of the path's noise, and weights of mean p(y)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import DATUM, guide, model, sample
from helpers import assert_unbiased, draws
from jax import lax
from jax.scipy.special import gammaln

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.objectives.annealing import anneal
from vipl.objectives.coordinates import Coordinates

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

LOG_2PI = np.log(2 * np.pi)
# Location and log scale of the guide, mean of the prior, step size, persistence, and one schedule of two steps.
THETA = np.array([-1.0, -0.3, 0.4, 0.45, 0.6, 0.3, 0.9])


def nodes(num_steps, width, count):
    """Return a start and noises, `(num_nodes,)` each, with the volumes they stand for; the noise's density included."""
    points, areas = np.polynomial.legendre.leggauss(90)
    noise, chances = np.polynomial.hermite_e.hermegauss(count)
    axes = np.meshgrid(width * points, *[noise] * num_steps, indexing="ij")
    volumes = np.meshgrid(width * areas, *[chances / np.sqrt(2 * np.pi)] * num_steps, indexing="ij")
    return [axis.ravel() for axis in axes], np.prod(volumes, axis=0).ravel()


def exact(log_q, log_p, num_steps, betas, size, persistence, width=7.0, count=24):
    """Return the mean of the bound: leapfrog steps as they are printed, of one coordinate."""
    (place, *noises), volumes = nodes(num_steps, width, count)
    slope_q, slope_p = (jax.vmap(jax.grad(f)) for f in (log_q, log_p))
    chance = jnp.exp(jax.vmap(log_q)(place)) * volumes
    log_weight, momentum = -jax.vmap(log_q)(place), None
    for beta, noise in zip(betas, noises, strict=True):
        slope = lambda z, b=beta: (1 - b) * slope_q(z) + b * slope_p(z)  # noqa: E731
        fresh = noise if momentum is None else persistence * momentum + jnp.sqrt(1 - persistence**2) * noise
        half = fresh + 0.5 * size * slope(place)
        place = place + size * half
        momentum = half + 0.5 * size * slope(place)
        log_weight = log_weight - 0.5 * momentum**2 + 0.5 * fresh**2
    return chance @ (log_weight + jax.vmap(log_p)(place))


def log_normal(x, mean, scale):
    return -0.5 * ((x - mean) / scale) ** 2 - jnp.log(scale) - 0.5 * LOG_2PI


def exact_normal(num_steps):
    def mean(theta):
        log_q = lambda x: log_normal(x, theta[0], jnp.exp(theta[1]))  # noqa: E731
        log_p = lambda x: log_normal(x, theta[2], 1.0) + log_normal(DATUM, x, 1.0)  # noqa: E731
        return exact(log_q, log_p, num_steps, theta[5 : 5 + num_steps], theta[3], theta[4])

    return mean


def of_theta(num_steps):
    def estimate(key, theta):
        objective = objectives.ais(num_steps, theta[3], theta[5 : 5 + num_steps], theta[4])
        return objective(key, model(theta[2]), guide(theta[0], theta[1]))

    return estimate


def check(num_steps, count=40_000):
    """Check value and all derivatives to 5 % of the gradient's length."""
    value, gradient = jax.value_and_grad(exact_normal(num_steps))(jnp.array(THETA))
    found = sample(jax.value_and_grad(of_theta(num_steps), argnums=1), draws(count), jnp.array(THETA))
    assert_unbiased(found, (value, gradient), resolution=0.05 * np.linalg.norm(gradient))


@pytest.mark.parametrize("num_steps", [1, 2])
def test_value_and_gradient(num_steps):
    """Also in step size, persistence and schedule."""
    check(num_steps)


def without_momenta(log_q, log_p, start, *rest):
    end, gathered = anneal(log_q, log_p, start, *rest)
    return end, 0.0 * gathered


def constant_slopes(log_q, log_p, start, *rest):
    """Gradients along the path are constants to the derivative, as where they come from another library."""

    def linear(density):
        def at(free):
            slopes = lax.stop_gradient(jax.grad(density)(lax.stop_gradient(free)))
            return sum(jnp.sum(slopes[address] * free[address]) for address in free)

        return at

    return anneal(linear(log_q), linear(log_p), start, *rest)


def other_steps(log_q, log_p, start, noises, schedule, sizes, persistence):
    return anneal(log_q, log_p, start, noises, schedule, {a: 0.9 * h for a, h in sizes.items()}, persistence)


@pytest.mark.parametrize("wrong", [without_momenta, constant_slopes, other_steps], ids=lambda f: f.__name__)
def test_another_path_is_seen(wrong, monkeypatch):
    monkeypatch.setitem(objectives.ais.__globals__, "anneal", wrong)
    with pytest.raises(AssertionError, match="standard errors"):
        check(2)


def test_a_volume_that_is_forgotten_is_seen(monkeypatch):
    """The value that is moved, without the volume that its coordinates have."""
    constrained = Coordinates.constrained
    monkeypatch.setattr(Coordinates, "constrained", lambda self, free: (constrained(self, free)[0], 0.0))
    with pytest.raises(AssertionError, match="standard errors"):
        test_positive_site()


@vipl.program
def rate_model():
    x = vipl.sample("x", dist.Gamma(2.0, 1.5))
    vipl.sample("y", dist.Poisson(x), obs=3)


@vipl.program
def rate_guide(loc, log_scale):
    vipl.sample("x", dist.LogNormal(loc, jnp.exp(log_scale)))


RATES = 2 * np.log(1.5) + gammaln(5.0) - 5 * np.log(2.5) - np.log(6)
RATE = np.array([0.1, -0.6, 0.3])  # location and log scale of the guide, step size


def test_positive_site():
    """It moves in its logarithm."""

    def mean(theta):
        log_p = lambda u: 2 * np.log(1.5) + 5 * u - 2.5 * jnp.exp(u) - np.log(6)  # noqa: E731
        return exact(lambda u: log_normal(u, theta[0], jnp.exp(theta[1])), log_p, 1, [1.0], theta[2], 0.0, 4.0, 40)

    def estimate(key, theta):
        return objectives.ais(1, theta[2])(key, rate_model(), rate_guide(theta[0], theta[1]))

    value, gradient = jax.value_and_grad(mean)(jnp.array(RATE))
    found = sample(jax.value_and_grad(estimate, argnums=1), draws(40_000), jnp.array(RATE))
    assert_unbiased(found, (value, gradient), resolution=0.05 * np.linalg.norm(gradient))


COUNTS = np.array([3, 0, 2])


@vipl.program
def mixed_model():
    shares = vipl.sample("shares", dist.Dirichlet(np.array([1.0, 2.0, 1.5])))
    vipl.sample("counts", dist.Multinomial(5, shares), obs=COUNTS)
    with vipl.plate("n", 2):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=np.array([0.5, -1.0]))


@vipl.program
def mixed_guide():
    with vipl.plate("n", 2):
        vipl.sample("x", dist.Normal(0.3, 0.9))
    vipl.sample("shares", dist.Dirichlet(np.array([2.0, 2.0, 2.0])))


def mixed_evidence():
    alpha = np.array([1.0, 2.0, 1.5])
    shares = gammaln(6.0) + gammaln(4.5) - gammaln(9.5) + np.sum(gammaln(alpha + COUNTS) - gammaln(alpha))
    shares -= np.sum(gammaln(COUNTS + 1.0))
    return shares - np.sum(np.array([0.5, -1.0]) ** 2) / 4 - np.log(4 * np.pi)


CASES = {
    "normal": (model(0.3), guide(-0.8, 0.1), float(log_normal(DATUM, 0.3, np.sqrt(2)))),
    "positive": (rate_model(), rate_guide(0.3, -0.3), float(RATES)),
    "simplex and plate": (mixed_model(), mixed_guide(), float(mixed_evidence())),
}


@pytest.mark.parametrize("name", CASES)
def test_weights_have_the_mean_of_the_evidence(name):
    """Whatever the path is: an independent check of momenta, volumes and coordinates in several dimensions."""
    model, guide, evidence = CASES[name]
    objective = objectives.ais(4, 0.3, persistence=0.5)
    found = sample(lambda key: objective(key, model, guide), draws(30_000))
    assert_unbiased(np.exp(found - evidence), 1.0, resolution=0.05)


@pytest.mark.parametrize("name", CASES)
def test_bound_rises_with_the_steps(name):
    model, guide, evidence = CASES[name]
    bounds = [objectives.elbo, *(objectives.ais(count, 0.25, persistence=0.8) for count in (8, 32))]
    found = [sample(lambda key, b=bound: b(key, model, guide), draws(1500)) for bound in bounds]
    gaps = [evidence - float(values.mean()) for values in found]
    error = max(float(values.std()) for values in found[1:]) / draws(1500) ** 0.5
    assert gaps[0] > gaps[1] + 4.5 * error
    assert gaps[1] > gaps[2] + 4.5 * error
    assert -4.5 * error < gaps[2] < 0.25 * gaps[0]
