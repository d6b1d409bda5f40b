"""`Exact` against the sum over all values: the evidence, its derivatives, and the bound that the posterior makes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from finite_chains import hidden_markov
from finite_programs import CASES, mixture, vector

import vipl
import vipl.distributions as dist
from vipl import Exact, marginal, normalize, objectives

pytestmark = pytest.mark.usefixtures("x64", "quick_compilation")

KEY = jax.random.key(0)
THETA = 0.7


def evidence(case):
    return lambda theta: vipl.log_density(marginal(case.make(theta), list(case.kept), Exact()), case.kept)


def summed(case):
    return lambda theta: jax.nn.logsumexp(case.log_densities(theta))


@pytest.mark.parametrize("name", CASES)
def test_evidence(name):
    """The value and its derivative."""
    both = [jax.value_and_grad(f(CASES[name])) for f in (evidence, summed)]
    ours, exact = jax.jit(lambda theta: [f(theta) for f in both])(THETA)
    np.testing.assert_allclose(ours, exact, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["mixture", "chain", "around a chain"])
def test_second_derivative(name):
    both = [jax.grad(jax.grad(f(CASES[name]))) for f in (evidence, summed)]
    ours, exact = jax.jit(lambda theta: [f(theta) for f in both])(THETA)
    np.testing.assert_allclose(ours, exact, rtol=1e-9, atol=1e-9)


WITH_BOUND = ["mixture", "a site all elements share", "an event", "chain", "around a chain", "chains in a plate"]


@pytest.mark.parametrize("name", WITH_BOUND)
def test_no_gap(name):
    """The evidence lower bound with the posterior as guide is the log evidence, at any draw."""
    case = CASES[name]
    posterior = lambda theta: normalize(case.make(theta), Exact())  # noqa: E731
    bound = jax.jit(lambda theta, key: objectives.elbo(key, case.make(theta), posterior(theta)))(THETA, KEY)
    np.testing.assert_allclose(bound, summed(case)(THETA), rtol=1e-9)


def test_wrong_sums():
    """What a sum over the plate as a whole would give, and one that mistakes a joint vector for single flips."""
    plate, joint = CASES["mixture"], CASES["a vector"]
    one_state = {"z": jnp.repeat(jnp.arange(3)[:, None], 4, 1)}
    together = jax.vmap(lambda values: vipl.log_density(mixture(THETA), values))(one_state)
    assert abs(jax.nn.logsumexp(together) - summed(plate)(THETA)) > 0.1
    alike = {"w": jnp.repeat(jnp.arange(2)[:, None], 3, 1)}
    apart = jax.vmap(lambda values: vipl.log_density(vector(THETA), values))(alike)
    assert abs(jax.nn.logsumexp(apart) - summed(joint)(THETA)) > 0.1


def forward_algorithm(theta, log_moves, series):
    """By NumPy, in probabilities, from state 0."""
    moves, states = np.exp(log_moves), np.arange(len(log_moves))
    ahead, total = np.eye(len(moves))[0], 0.0
    for y in np.asarray(series):
        ahead = (ahead @ moves) * np.exp(-0.5 * (y - theta * states) ** 2) / np.sqrt(2 * np.pi)
        total, ahead = total + np.log(ahead.sum()), ahead / ahead.sum()
    return total


def test_a_long_chain():
    """300 steps of 6 states, in place of 6^300 paths; as one program, and in lanes."""
    log_moves = jax.nn.log_softmax(jax.random.normal(KEY, (6, 6)))
    series = 3 * jax.random.normal(KEY, (2, 300))

    @vipl.program
    def chain(series):
        def step(before, y):
            z = vipl.sample("z", dist.Categorical(logits=log_moves[before]))
            vipl.sample("y", dist.Normal(THETA * z, 1.0), obs=y)
            return z, None

        jax.lax.scan(step, 0, series)

    @vipl.program
    def chains():
        vipl.vmap(lambda y: vipl.sample("each", marginal(chain(y), [], Exact())))(series)

    exact = [forward_algorithm(THETA, log_moves, one) for one in series]
    one = vipl.log_density(marginal(chain(series[0]), [], Exact()), {})
    np.testing.assert_allclose(one, exact[0], rtol=1e-9)
    np.testing.assert_allclose(vipl.log_density(chains(), {}), sum(exact), rtol=1e-9)
    path = vipl.simulate(normalize(chain(series[0]), Exact()), KEY)["z"]
    assert path.shape == (300,)


def test_an_empty_plate_and_scan():
    empty = marginal(hidden_markov(THETA, 0), [], Exact())
    assert vipl.log_density(empty, {}) == 0
    assert vipl.simulate(normalize(hidden_markov(THETA, 0, drawn=True) | {}, Exact()), KEY)["z"].shape == (0,)


def test_data_of_single_precision():
    with jax.enable_x64(False):
        density = vipl.log_density(marginal(mixture(jnp.float32(THETA)), [], Exact()), {})
    assert density.dtype == jnp.float32
    np.testing.assert_allclose(density, summed(CASES["mixture"])(THETA), rtol=1e-5)
