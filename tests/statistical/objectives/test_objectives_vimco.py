"""VIMCO on two dependent flips: unbiased, against enumeration of all particles."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import bound_of, sample
from helpers import assert_exact, assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl.estimators import Enumerate
from vipl.objectives import vimco

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]

DATUM, LEVELS = -3.0, np.array([-1.0, 1.5])
THETA = np.array([0.6, -0.4, 1.1])  # logits of the guide: of the first flip, of the second after 0 and after 1


@vipl.program
def model():
    a = vipl.sample("a", dist.Bernoulli(0.4))
    b = vipl.sample("b", dist.Bernoulli(0.3 + 0.4 * a))
    vipl.sample("y", dist.Normal(a * LEVELS[0] + b * LEVELS[1], 1.0), obs=DATUM)


@vipl.program
def guide(theta):
    a = vipl.sample("a", dist.Bernoulli(logits=theta[0]))
    vipl.sample("b", dist.Bernoulli(logits=theta[1] + theta[2] * a))


def exact(num_particles):
    """Return the bound by the sum over all values of all particles."""
    a, b = np.array(list(itertools.product([0, 1], repeat=2))).T
    log_p = np.log(np.where(a, 0.4, 0.6)) + np.log(np.where(b, 0.3 + 0.4 * a, 0.7 - 0.4 * a))
    log_p = log_p - 0.5 * (DATUM - a * LEVELS[0] - b * LEVELS[1]) ** 2 - 0.5 * np.log(2 * np.pi)
    index = np.array(list(itertools.product(range(4), repeat=num_particles)))

    def bound(theta):
        second = theta[1] + theta[2] * a
        log_q = a * theta[0] - jax.nn.softplus(theta[0]) + b * second - jax.nn.softplus(second)
        return jnp.exp(jnp.sum(log_q[index], axis=1)) @ bound_of((log_p - log_q)[index], 0)

    return bound


def gradients(objective, count):
    return sample(jax.grad(lambda key, theta: objective(key, model(), guide(theta)), 1), count, jnp.array(THETA))


def check(objective, num_particles=2, count=250_000):
    """Check the gradient to 2 % of the largest entry."""
    truth = np.asarray(jax.grad(exact(num_particles))(THETA))
    assert_unbiased(gradients(objective, draws(count)), truth, resolution=0.02 * np.abs(truth).max())


@pytest.mark.parametrize("num_particles", [2, 3])
def test_gradient(num_particles):
    check(objectives.iwelbo(num_particles, "vimco"), num_particles)


def test_the_mean_of_several_samples():
    check(objectives.iwelbo(2, "vimco").with_num_samples(2), count=120_000)


def test_plain_gradient():
    truth = np.asarray(jax.grad(exact(2))(THETA))
    found = gradients(objectives.iwelbo(2), draws(100_000))
    assert_unbiased(found, truth, resolution=0.1 * np.abs(truth).max())


def test_enumeration_of_all_particles_is_exact():
    found = gradients(objectives.iwelbo(2).with_estimators({"*": Enumerate()}), 3)
    assert_exact(found, np.asarray(jax.grad(exact(2))(THETA)))


def test_too_many_particles_to_enumerate():
    with pytest.raises(vipl.EstimatorError, match="needs too many values for site"):
        gradients(objectives.iwelbo(40).with_estimators({"*": Enumerate()}), 1)


def test_a_baseline_with_its_own_particle_is_seen(monkeypatch):
    def all_of_them(log_weights, exponent):
        return jnp.full(log_weights.shape, bound_of(log_weights, 1 - exponent))

    monkeypatch.setattr(vimco, "baselines", all_of_them)
    with pytest.raises(AssertionError, match="standard errors"):
        check(objectives.iwelbo(2, "vimco"))
