"""The page on objectives: it lists them all, its code runs, and the three that a user writes are unbiased."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws
from jax import lax
from jax.scipy.stats import norm
from pages import DOCS, run

from vipl import objectives
from vipl.lang.program import Program

PAGE = "objectives.md"
THETA = np.array([-0.4, 0.8])  # location and scale of the guide


@pytest.fixture(scope="module")
def page():
    return run(PAGE)


def check(function, exact, count, fraction=0.04):
    """Check value and gradient of a function of theta and a key to a fraction of the gradient's length."""
    value, gradient = jax.value_and_grad(exact)(jnp.array(THETA))
    keys = jax.random.split(jax.random.key(0), draws(count))
    found = jax.jit(jax.vmap(jax.value_and_grad(function), (None, 0)))(jnp.array(THETA), keys)
    assert_unbiased(found, (value, gradient), resolution=fraction * np.linalg.norm(gradient))


def divergence(theta, loc, scale):
    """Return KL(N(theta)‖N(loc, scale))."""
    return jnp.log(scale / theta[1]) + 0.5 * ((theta[1] ** 2 + (theta[0] - loc) ** 2) / scale**2 - 1)


def test_every_objective_is_on_the_page():
    text = (DOCS / PAGE).read_text()
    assert not [name for name in objectives.__all__ if f"`{name}" not in text]


@pytest.mark.statistical
def test_trust_region(page):
    def exact(theta):
        bound = -0.5 * (theta[1] ** 2 + (1 - theta[0]) ** 2) - 0.5 * jnp.log(2 * jnp.pi) - divergence(theta, 0.0, 1.0)
        return bound - divergence(theta, -1.0, 0.7) / 0.5

    def estimate(theta, key):
        return page["trust_region"](
            key, page["model"](0.0, 1.0), page["normal"](*theta), page["normal"](-1.0, 0.7), 0.5
        )

    check(estimate, exact, 500_000)


def defended(theta):
    """The mean over one draw of the guide and one of the prior, by quadrature; what is drawn and weighed is fixed."""
    points, areas = np.polynomial.legendre.leggauss(100)
    first, second = map(np.ravel, np.meshgrid(7 * points, 7 * points))
    areas = np.prod(np.meshgrid(7 * areas, 7 * areas), axis=0).ravel()
    z = jnp.stack([first, second])
    log_q = norm.logpdf(z, theta[0], theta[1])
    fixed, prior = lax.stop_gradient(log_q), norm.logpdf(z)
    weights = jax.nn.softmax(prior + norm.logpdf(1.0, z, 1.0) - jnp.logaddexp(fixed, prior), axis=0)
    return jnp.sum(areas * jnp.exp(fixed[0] + prior[1]) * jnp.sum(weights * log_q, axis=0))


def check_defensive(page):
    def estimate(theta, key):
        return page["defensive"](key, page["model"](0.0, 1.0), page["normal"](*theta), page["normal"](0.0, 1.0), 2)

    check(estimate, defended, 60_000)


@pytest.mark.statistical
def test_defensive_mixture(page):
    check_defensive(page)


class Keeping:
    """Stops the weights, and not the programs that are drawn from."""

    @staticmethod
    def stop_gradient(x):
        return x if isinstance(x, Program) else lax.stop_gradient(x)


@pytest.mark.statistical
def test_draws_of_the_mixture_that_are_differentiated_are_seen(page, monkeypatch):
    monkeypatch.setitem(page, "lax", Keeping)
    with pytest.raises(AssertionError, match="standard errors"):
        check_defensive(page)


@pytest.mark.statistical
def test_pac_bayes(page):
    x = np.linspace(-2.0, 2.0, 21)
    label = x > 0.5

    def exact(theta):
        above = norm.cdf((x - theta[0]) / theta[1])
        error = jnp.mean(jnp.where(label, 1 - above, above))
        return -error - (divergence(theta, 0.0, 1.0) + jnp.log(20.0)) / 50 - 50 / (8 * 21)

    def estimate(theta, key):
        return page["pac_bayes"](key, page["normal"](0.0, 1.0), page["normal"](*theta), x, label, 50.0)

    check(estimate, exact, 200_000)
