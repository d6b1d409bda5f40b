"""Bounds with marginal and normalised guides against sums over all that they draw, whatever estimator a choice has.

A guide with a hidden choice u, marginalised with m particles (the importance-weighted hierarchical bound) or summed,
and a posterior of m particles (the importance-weighted bound). Everything is finite: values and gradients are sums.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import Exact, Importance, marginal, normalize, objectives
from vipl.estimators import Enumerate, ScoreFunction

pytestmark = pytest.mark.usefixtures("x64", "quick_compilation")

KEYS, PARTICLES = 50_000, 3
PRIOR = np.array([0.5, 0.3, 0.2])
LIKELIHOOD = np.array([0.1, 0.7, 0.4])  # of what is observed
THETA = np.array([0.4, -0.3, 0.6])


def hidden(theta):
    """Return the law of u."""
    return jax.nn.softmax(jnp.array([0.0, 1.0]) * theta[0])


def kept(theta):
    """Return the law of x for each u."""
    return jax.nn.softmax(jnp.array([[0.0, 1.0, -0.5], [0.8, 0.0, 1.0]]) * theta[1] + theta[2] * jnp.eye(2, 3))


def proposed(theta, x):
    """Return the law of u that a proposal has, given x."""
    return jax.nn.softmax(jnp.array([0.3, -0.2]) * theta[0] + 0.5 * theta[2] * jnp.array([1.0, 0.0]) * x)


@vipl.program
def model():
    x = vipl.sample("x", dist.Categorical(jnp.array(PRIOR)))
    vipl.factor("y", jnp.log(jnp.array(LIKELIHOOD))[x])


@vipl.program
def guide(theta):
    u = vipl.sample("u", dist.Categorical(hidden(theta)))
    vipl.sample("x", dist.Categorical(kept(theta)[u]))


@vipl.program
def proposal(theta, x):
    vipl.sample("u", dist.Categorical(proposed(theta, x)))


@vipl.program
def flat(theta):
    vipl.sample("x", dist.Categorical(kept(theta)[0]))


def hierarchical(theta, law):
    """E over u₁, x of the guide and u₂ … u_m of a law given x."""
    joint, total = hidden(theta)[:, None] * kept(theta), 0.0
    for us in itertools.product(range(2), repeat=PARTICLES):
        for x in range(3):
            others = law(theta, x)
            chance = joint[us[0], x] * jnp.prod(others[jnp.array(us[1:])])
            weight = jnp.mean(jnp.array([joint[u, x] / others[u] for u in us]))
            total = total + chance * (jnp.log(PRIOR[x] * LIKELIHOOD[x]) - jnp.log(weight))
    return total


def weighted(theta):
    law, total = kept(theta)[0], 0.0
    for xs in itertools.product(range(3), repeat=PARTICLES):
        weights = jnp.array([PRIOR[x] * LIKELIHOOD[x] for x in xs]) / law[jnp.array(xs)]
        total = total + jnp.prod(law[jnp.array(xs)]) * jnp.log(jnp.mean(weights))
    return total


def by_proposal(theta):
    inference = Importance(lambda kept: proposal(theta, kept["x"]), num_particles=PARTICLES)
    return marginal(guide(theta), ["x"], inference)


def summed(theta):
    law = hidden(theta) @ kept(theta)
    return law @ (jnp.log(PRIOR * LIKELIHOOD) - jnp.log(law))


# name: (guide, the bound as a sum)
BOUNDS = {
    "hierarchical": (
        lambda theta: marginal(guide(theta), ["x"], Importance(num_particles=PARTICLES)),
        lambda theta: hierarchical(theta, lambda theta, _: hidden(theta)),
    ),
    "hierarchical, proposed": (by_proposal, lambda theta: hierarchical(theta, proposed)),
    "summed": (lambda theta: marginal(guide(theta), ["x"], Exact()), summed),
    "importance-weighted": (
        lambda theta: normalize(model(), Importance(flat(theta), num_particles=PARTICLES)),
        weighted,
    ),
}
# name: (estimators, the bounds that have such choices)
ESTIMATORS = {
    "as they are": ({}, tuple(BOUNDS)),
    "particles scored": ({"particles/*": ScoreFunction()}, ("hierarchical", "importance-weighted")),
    "particles enumerated": ({"particles/*": Enumerate()}, ("hierarchical, proposed", "importance-weighted")),
    "hidden choice scored": ({"u": ScoreFunction()}, ("hierarchical", "hierarchical, proposed", "summed")),
    "hidden choice enumerated": ({"u": Enumerate()}, ("hierarchical, proposed", "summed")),
    "index scored": ({"index": ScoreFunction()}, ("importance-weighted",)),
    "all scored": ({"*": ScoreFunction()}, tuple(BOUNDS)),
}


def value_and_slope(name, estimators):
    make, _ = BOUNDS[name]
    bound = objectives.elbo.with_estimators(estimators) if estimators else objectives.elbo

    def one(theta, key):
        return bound(key, model(), make(theta))

    keys = jax.random.split(jax.random.key(0), draws(KEYS))
    return jax.jit(jax.vmap(jax.value_and_grad(one), (None, 0)))(THETA, keys)


@pytest.mark.parametrize(("estimators", "name"), [(e, name) for e, (_, names) in ESTIMATORS.items() for name in names])
def test_value_and_gradient(name, estimators):
    exact = jax.value_and_grad(BOUNDS[name][1])(THETA)
    assert_unbiased(value_and_slope(name, ESTIMATORS[estimators][0]), exact, resolution=0.05)


def test_weights_without_the_choice_that_was_made():
    """The wrong twin: a density by fresh particles only, which is too small on average where it was drawn."""

    def wrong(theta):
        return hierarchical_fresh(theta)

    exact, twin = jax.value_and_grad(BOUNDS["hierarchical"][1])(THETA), jax.value_and_grad(wrong)(THETA)
    found = value_and_slope("hierarchical", {})
    assert_unbiased(found, exact, resolution=0.05)
    with pytest.raises(AssertionError):
        assert_unbiased(found, twin, resolution=0.05)


def hierarchical_fresh(theta):
    law, total = hidden(theta), 0.0
    for us in itertools.product(range(2), repeat=PARTICLES):
        for x in range(3):
            inner = jnp.log(jnp.mean(jnp.array([kept(theta)[u, x] for u in us])))
            chance = jnp.prod(law[jnp.array(us)]) * (law @ kept(theta))[x]
            total = total + chance * (jnp.log(PRIOR[x] * LIKELIHOOD[x]) - inner)
    return total
