"""Objectives of several particles, and the path gradient: value and derivatives are unbiased, against quadrature."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import DATUM, THETA, exact_bound, exact_mean, of_parameters, sample
from helpers import assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.objectives import dreg

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

OBJECTIVES = {  # with the order and the number of particles of the exact one
    "path_elbo": (objectives.path_elbo, 1, 1),
    "iwelbo of 1, dreg": (objectives.iwelbo(1, "dreg"), 0, 1),
    "iwelbo": (objectives.iwelbo(2), 0, 2),
    "iwelbo, dreg": (objectives.iwelbo(2, "dreg"), 0, 2),
    "iwelbo, vimco": (objectives.iwelbo(2, "vimco"), 0, 2),
    "renyi 0.5": (objectives.renyi(0.5, 2), 0.5, 2),
    "renyi 0.5, dreg": (objectives.renyi(0.5, 2, "dreg"), 0.5, 2),
    "renyi 1": (objectives.renyi(1, 2), 1, 2),
    "renyi 1, dreg": (objectives.renyi(1, 2, "dreg"), 1, 2),
    "renyi 2": (objectives.renyi(2, 2), 2, 2),
    "renyi 2, dreg": (objectives.renyi(2, 2, "dreg"), 2, 2),
}
PARTITION = (0.0, 0.1, 0.4, 1.0)
CUBO = {"plain": objectives.cubo(2.0, 2), "dreg": objectives.cubo(2.0, 2, "dreg")}


def check(objective, alpha, num_particles, count=200_000):
    """Check value and gradient to 2 % of each of them."""
    check_against(of_parameters(objective), exact_bound(alpha, num_particles), count)


def check_against(objective, mean, count=200_000):
    exact = jax.value_and_grad(mean)(jnp.array(THETA))
    found = sample(jax.value_and_grad(objective, argnums=1), draws(count), jnp.array(THETA))
    relative = jax.tree.map(lambda samples, truth: samples / truth, found, exact)
    assert_unbiased(relative, jax.tree.map(jnp.ones_like, exact), resolution=0.02)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_and_gradient(name):
    check(*OBJECTIVES[name])


@pytest.mark.parametrize("gradient", CUBO)
def test_upper_bound(gradient):
    check_against(of_parameters(CUBO[gradient]), lambda theta: -exact_bound(-1.0, 2)(theta), 400_000)


def thermodynamic(log_weights):
    """The formula as it is printed."""
    total = 0.0
    for start, end in itertools.pairwise(PARTITION):
        powers = jnp.exp(start * log_weights)
        total += (end - start) * jnp.sum(powers * log_weights, axis=-1) / jnp.sum(powers, axis=-1)
    return total


def test_thermodynamic_objective():
    check_against(of_parameters(objectives.tvo(PARTITION, 2)), exact_mean(thermodynamic, 2), 4_500_000)


def test_right_sum_is_seen():
    """The other end of each interval: an upper bound."""
    twin = objectives.tvo((0.0, 0.4, 0.7, 1.0), 2)
    with pytest.raises(AssertionError, match="standard errors"):
        check_against(of_parameters(twin), exact_mean(thermodynamic, 2))


def log_normal(theta):
    """What a guide of two parameters is: location and log scale."""
    return theta[0], jnp.exp(theta[1])


@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
def test_weighted_bound(beta):
    def exact(theta):
        loc, scale = log_normal(theta)
        divergence = -theta[1] + 0.5 * (scale**2 + (loc - theta[2]) ** 2 - 1)
        return -0.5 * ((DATUM - loc) ** 2 + scale**2) - 0.5 * jnp.log(2 * jnp.pi) - beta * divergence

    objective = of_parameters(objectives.beta_elbo(beta))
    if beta > 0:
        return check_against(objective, exact, 600_000)
    # nothing depends on the prior's mean
    found = sample(jax.grad(objective, argnums=1), draws(2_500_000), jnp.array(THETA))
    assert not found[:, 2].any()
    exact = jax.grad(exact)(jnp.array(THETA))
    return assert_unbiased(found[:, :2] / exact[:2], np.ones(2), resolution=0.02)


@vipl.program
def normal(loc, scale):
    vipl.sample("x", dist.Normal(loc, scale))


def test_forward_divergence():
    """Also in the parameter of the model that is drawn from."""

    def exact(theta):
        loc, scale = log_normal(theta)
        return -(theta[1] + 0.5 * (1 + (theta[2] - loc) ** 2) / scale**2 - 0.5)

    objective = lambda key, theta: objectives.forward_kl(key, normal(theta[2], 1.0), normal(*log_normal(theta)))  # noqa: E731
    check_against(objective, exact, 700_000)


@pytest.mark.parametrize("name", ["iwelbo, dreg", "renyi 0.5, dreg", "renyi 2, dreg"])
def test_weights_where_their_squares_belong_are_seen(monkeypatch, name):
    """The derivative through the draw keeps w̃, as before the score was reparameterised."""
    monkeypatch.setattr(dreg, "normalised_weights", lambda log_weights, _: jnp.ones_like(log_weights))
    with pytest.raises(AssertionError, match="standard errors"):
        check(*OBJECTIVES[name])


@pytest.mark.parametrize("name", ["iwelbo, dreg", "renyi 2, dreg"])
def test_squares_alone_are_seen(monkeypatch, name):
    """The right factor for order 0, half of it or twice: α is forgotten."""
    weights = dreg.normalised_weights
    alpha = OBJECTIVES[name][1]
    wrong = lambda log_weights, e: (weights(log_weights, e) / 2 - alpha) / (1 - alpha)  # noqa: E731
    monkeypatch.setattr(dreg, "normalised_weights", wrong)
    with pytest.raises(AssertionError, match="standard errors"):
        check(*OBJECTIVES[name])


def test_a_score_that_is_left_in_is_seen(monkeypatch):
    monkeypatch.setattr(dreg, "path_log_density", lambda guide, trace: trace.log_density)
    with pytest.raises(AssertionError, match="standard errors"):
        check(*OBJECTIVES["iwelbo, dreg"])


def test_a_path_that_is_lost_is_seen(monkeypatch):
    """All of log q is stopped, as a stop-gradient around the density would do."""
    stopped = lambda guide, trace: jax.lax.stop_gradient(trace.log_density)  # noqa: E731
    monkeypatch.setitem(objectives.path_elbo.fn.__globals__, "path_log_density", stopped)
    with pytest.raises(AssertionError, match="standard errors"):
        check(*OBJECTIVES["path_elbo"])


@pytest.mark.parametrize("name", ["path_elbo", "iwelbo", "renyi 2"])
def test_second_derivatives(name):
    """To 4 % of the largest entry of the Hessian."""
    objective, alpha, num_particles = OBJECTIVES[name]
    theta = jnp.array([-0.6, -0.5, -0.7])
    exact = np.asarray(jax.hessian(exact_bound(alpha, num_particles))(theta))
    found = sample(jax.hessian(of_parameters(objective), argnums=1), draws(80_000), theta)
    assert_unbiased(found, exact, resolution=0.04 * np.abs(exact).max())
