"""Posteriors by `Exact`: their densities against sums over all values, and their draws against their densities."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from finite_case import MOVES, SERIES
from finite_programs import CASES
from helpers import assert_unbiased

import vipl
from vipl import Exact, normalize, objectives

pytestmark = pytest.mark.usefixtures("x64", "quick_compilation")

THETA, DRAWS = 0.7, 20_000
LATENT = [name for name, case in CASES.items() if not case.kept]


@functools.cache
def posterior(name):
    """Return the exact log probability of each value; its density by `normalize`; and draws with their densities."""
    case = CASES[name]

    def run(theta, keys):
        program = normalize(case.make(theta), Exact())
        exact = jax.nn.log_softmax(case.log_densities(theta))
        values = jax.vmap(lambda values: vipl.log_density(program, values))(case.values)
        traces = jax.vmap(lambda key: vipl.simulate(program, key))(keys)
        return exact, values, {name: traces[name] for name in case.sites}, traces.log_density

    return jax.jit(run)(THETA, jax.random.split(jax.random.key(0), DRAWS))


def numbers(case, draws):
    """Return of each draw the number of its value."""
    flat = lambda tree: np.concatenate([np.reshape(tree[n], (len(tree[n]), -1)) for n in case.sites], axis=1)  # noqa: E731
    known = {tuple(row): number for number, row in enumerate(flat(case.values))}
    return np.array([known[tuple(row)] for row in flat(draws)])


def assert_drawn_by(which, probabilities):
    """Check how often each value is drawn, and the draws' mean log probability: its resolution is that of the law."""
    often = np.flatnonzero(probabilities * DRAWS > 100)
    assert_unbiased(which[:, None] == often, probabilities[often], resolution=0.02)
    terms = probabilities * np.log(probabilities)
    assert_unbiased(np.log(probabilities)[which], terms.sum(), resolution=0.05 * max(-terms.sum(), 1.0))


@pytest.mark.parametrize("name", LATENT)
def test_densities_and_draws(name):
    exact, values, draws, densities = posterior(name)
    np.testing.assert_allclose(values, exact, rtol=1e-9, atol=1e-9)
    which = numbers(CASES[name], draws)
    np.testing.assert_allclose(densities, exact[which], rtol=1e-9, atol=1e-9)
    assert_drawn_by(which, np.exp(np.asarray(exact)))


def test_draws_of_the_filter_are_rejected():
    """The wrong twin: each state by what was observed up to its time, in place of all that was."""
    exact, *_ = posterior("chain")
    emission = np.exp(-0.5 * (SERIES[:3, None] - THETA * np.arange(3)) ** 2)
    rng, before, path = np.random.default_rng(0), np.zeros(DRAWS, int), []
    for weights in emission:
        law = MOVES[before] * weights
        chosen = (law.cumsum(1) / law.sum(1, keepdims=True) < rng.random((DRAWS, 1))).sum(1)
        before = chosen
        path.append(chosen)
    which = numbers(CASES["chain"], {"z": jnp.array(path).T})
    with pytest.raises(AssertionError):
        assert_drawn_by(which, np.exp(np.asarray(exact)))


@pytest.mark.parametrize("name", ["mixture", "chain", "chains in a plate"])
def test_gradient_of_the_bound(name):
    """The draws have gradient estimators like any other: the mean is the derivative of the log evidence."""
    case = CASES[name]

    def bound(theta, key):
        return objectives.elbo(key, case.make(theta), normalize(case.make(theta), Exact()))

    keys = jax.random.split(jax.random.key(1), 2000)
    slopes = jax.jit(jax.vmap(jax.grad(bound), (None, 0)))(THETA, keys)
    exact = jax.grad(lambda theta: jax.nn.logsumexp(case.log_densities(theta)))(THETA)
    assert_unbiased(slopes, exact, resolution=1.0)
