"""Objectives of several particles, and the path gradient: value and derivatives are unbiased, against quadrature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import THETA, exact_bound, of_parameters, sample
from helpers import assert_unbiased, draws

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


def check(objective, alpha, num_particles, count=200_000):
    """Check value and gradient to 2 % of each of them."""
    exact = jax.value_and_grad(exact_bound(alpha, num_particles))(THETA)
    found = sample(jax.value_and_grad(of_parameters(objective), argnums=1), draws(count), jnp.array(THETA))
    relative = jax.tree.map(lambda samples, truth: samples / truth, found, exact)
    assert_unbiased(relative, jax.tree.map(jnp.ones_like, exact), resolution=0.02)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_and_gradient(name):
    check(*OBJECTIVES[name])


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
