"""Bounds nest, and are equal where the guide is the posterior: on models whose evidence is known."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import draws

import vipl
import vipl.distributions as dist
from vipl import objectives

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64")]


@vipl.program
def normal_model():
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=1.2)


@vipl.program
def normal_guide(loc, scale):
    vipl.sample("x", dist.Normal(loc, scale))


@vipl.program
def rate_model():
    x = vipl.sample("x", dist.Gamma(2.0, 1.5))
    vipl.sample("y", dist.Poisson(x), obs=3)


@vipl.program
def rate_guide(shape, rate):
    vipl.sample("x", dist.Gamma(shape, rate))


@vipl.program
def mixed_model():
    """A category and a location, which only together explain the datum."""
    kind = vipl.sample("kind", dist.Categorical(np.array([0.5, 0.3, 0.2])))
    x = vipl.sample("x", dist.Normal(2.0 * kind, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=1.2)


@vipl.program
def mixed_guide(probs, spread):
    kind = vipl.sample("kind", dist.Categorical(probs))
    vipl.sample("x", dist.Normal(0.5 * (2.0 * kind + 1.2), spread))


def normal_density(x, mean, variance):
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


KINDS = np.array([0.5, 0.3, 0.2]) * normal_density(1.2, 2.0 * np.arange(3), 2.0)
RATES = 2 * math.log(1.5) + math.log(24) - 5 * math.log(2.5) - math.log(6)  # (n − 1)! for Γ(n)
MODELS = {
    "normal": (normal_model, normal_guide(0.9, 0.9), normal_guide(0.6, 0.5**0.5), np.log(normal_density(1.2, 0, 2))),
    "rate": (rate_model, rate_guide(4.0, 2.3), rate_guide(5.0, 2.5), RATES),
    "mixed": (
        mixed_model,
        mixed_guide(np.array([0.3, 0.4, 0.3]), 0.8),
        mixed_guide(KINDS / KINDS.sum(), 0.5**0.5),
        np.log(KINDS.sum()),
    ),
}


def estimate(objective, model, guide, count):
    """Return the mean and its standard error, without derivatives."""
    found = jax.jit(jax.vmap(lambda key: objective(key, model, guide)))(jax.random.split(jax.random.key(3), count))
    return float(found.mean()), float(found.std() / count**0.5)


@pytest.mark.parametrize("name", MODELS)
def test_bounds_nest(name):
    make, guide, _, evidence = MODELS[name]
    bounds = [objectives.elbo, objectives.iwelbo(5), objectives.iwelbo(50)]
    found = [estimate(bound, make(), guide, draws(40_000)) for bound in bounds]
    for (low, low_error), (high, high_error) in itertools.pairwise(found):
        assert high - low > 4.5 * np.hypot(low_error, high_error)  # apart, and seen to be
    last, last_error = found[-1]
    assert last < evidence + 4.5 * last_error
    middle, middle_error = estimate(objectives.tvo((0.0, 0.2, 1.0), 50), make(), guide, draws(10_000))
    assert found[0][0] + 4.5 * middle_error < middle < evidence
    upper, error = estimate(objectives.cubo(2.0, 2000), make(), guide, draws(400))
    assert -upper - evidence > 4.5 * error


@pytest.mark.parametrize("name", MODELS)
def test_bounds_of_the_posterior_are_the_evidence(name):
    make, _, posterior, evidence = MODELS[name]
    every = [
        objectives.elbo,
        objectives.beta_elbo(1.0),
        objectives.iwelbo(5),
        objectives.tvo((0.0, 0.2, 1.0), 5),
        objectives.cubo(2.0, 5),
    ]
    signs = [1, 1, 1, 1, -1]
    values = [objective(jax.random.key(1), make(), posterior) for objective in every]
    np.testing.assert_allclose(np.array(signs) * jnp.stack(values), evidence, rtol=1e-9)


def test_forward_divergence_of_a_program_to_itself_is_nothing():
    guide = rate_guide(2.0, 3.0)
    assert objectives.forward_kl(jax.random.key(0), guide, guide) == 0.0
    value, error = estimate(objectives.forward_kl, guide, rate_guide(2.5, 2.0), draws(20_000))
    assert value < -4.5 * error
