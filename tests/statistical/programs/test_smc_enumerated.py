"""Sequential Monte Carlo in a hidden Markov model, against every run of the particle filter."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws
from particle_systems import rows, sequential

import vipl
import vipl.distributions as dist
from vipl import objectives

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("quick_compilation", "x64")]

DATA = np.array([0.3, -0.8, 1.5])
THETA = np.array([0.4, -0.7, 1.2, 0.3])  # logits of state 1 after 0 and after 1; its mean; the proposal's slope
SCALE = 0.9


@vipl.program
def hmm(theta, length):
    def step(x, y):
        x = vipl.sample("x", dist.Bernoulli(logits=theta[0] * (1 - x) + theta[1] * x))
        vipl.sample("y", dist.Normal(theta[2] * x, SCALE), obs=y)
        return x, None

    jax.lax.scan(step, 0, jnp.asarray(DATA[:length]))


@vipl.program
def proposal(theta, length):
    def step(x, y):
        return vipl.sample("x", dist.Bernoulli(logits=theta[3] * y + 0.5 * x - 0.2)), None

    jax.lax.scan(step, 0, jnp.asarray(DATA[:length]))


def bernoulli(logits):
    """Log probabilities of 0 and 1, last."""
    return jnp.stack([-jax.nn.softplus(logits), -jax.nn.softplus(-logits)], -1)


def every_run(theta, length, count, scheme, proposed, threshold=None):
    data, state = DATA[:length], np.arange(2)
    log_transition = bernoulli(theta[:2])
    log_emission = -0.5 * ((data[:, None] - theta[2] * state) / SCALE) ** 2 - np.log(SCALE * np.sqrt(2 * np.pi))
    own = jnp.broadcast_to(log_transition, (length, 2, 2))
    theirs = bernoulli(theta[3] * data[:, None] + 0.5 * state - 0.2)
    return sequential(log_transition, log_emission, theirs if proposed else own, count, scheme, threshold)


def bound(theta, *case):
    """Exact E log Ẑ."""
    chance, log_evidence, _ = every_run(theta, *case)
    return jnp.sum(chance * log_evidence)


def smoothed(theta, length, count, scheme, proposed, threshold=None, **options):
    inference = vipl.SMC(
        count, proposal(theta, length) if proposed else None, resampling=scheme, threshold=threshold, **options
    )
    return vipl.normalize(hmm(theta, length), inference)


def sample(function, count, *args, seed=0):
    keys = jax.random.split(jax.random.key(seed), draws(count))
    return jax.jit(jax.vmap(function, (0, *[None] * len(args))))(keys, *args)


RUNS = {
    "multinomial": (3, 2, "multinomial", False),
    "systematic": (3, 2, "systematic", False),
    "stratified, three particles, proposed": (2, 3, "stratified", True),
    "systematic, proposed": (3, 2, "systematic", True),
    "multinomial, adaptive": (3, 2, "multinomial", False, 0.85),
    "systematic, adaptive": (3, 2, "systematic", True, 0.85),
    "one particle": (3, 1, "multinomial", True),
    "one step": (1, 3, "systematic", True),
}
run = pytest.mark.parametrize("name", RUNS)


def paths(length):
    return jnp.asarray(rows(*[2] * length))


@functools.cache
def exact_density(name):
    chance, _, by_path = every_run(jnp.asarray(THETA), *RUNS[name])
    return np.asarray(chance @ by_path)


def check_given(log_density, name, count=6000, seed=0, resolution=0.1):
    """E[ŵ] of every path, relative to its probability under the algorithm's own draws."""
    every = paths(RUNS[name][0])
    log_densities = sample(lambda key: jax.vmap(lambda x: log_density(key, x))(every), count, seed=seed)
    exact = exact_density(name)
    assert_unbiased(np.exp(log_densities) / exact, np.ones(len(exact)), resolution=resolution)


@run
def test_density_of_given_paths(name):
    program = smoothed(jnp.asarray(THETA), *RUNS[name])
    check_given(lambda key, x: vipl.log_density(program, {"x": x}, key), name)


def check_drawn(draw, name, count=50_000, seed=1, resolution=0.25):
    """E[p/ŵ | path] = 1 for each path, each path as often as it is probable, and E[p(x, y)/ŵ] = p(y)."""
    length = RUNS[name][0]
    x, log_density, log_joint = map(np.asarray, sample(draw, count, seed=seed))
    which = x @ 2 ** np.arange(length)[::-1]
    exact = exact_density(name)
    assert_unbiased(which[:, None] == np.arange(len(exact)), exact, resolution=0.02)
    for path in np.flatnonzero(exact > 0.03):
        assert_unbiased(exact[path] * np.exp(-log_density[which == path]), 1.0, resolution=resolution)
    chance, log_evidence, _ = every_run(jnp.asarray(THETA), *RUNS[name])
    assert_unbiased(np.exp(log_joint - log_density), chance @ jnp.exp(log_evidence), resolution=0.001)


def drawing(name):
    theta, length = jnp.asarray(THETA), RUNS[name][0]
    program = smoothed(theta, *RUNS[name])

    def draw(key):
        trace = vipl.simulate(program, key)
        return trace["x"], trace.log_density, vipl.log_density(hmm(theta, length), trace)

    return draw


@run
def test_density_of_drawn_paths(name):
    check_drawn(drawing(name), name)


def test_a_filter_that_retains_nothing_is_seen():
    """Wrong twin: a given path scored with the evidence of a free filter."""
    theta = jnp.asarray(THETA)
    model = hmm(theta, 3)
    free = vipl.marginal(model, [], vipl.SMC(2))

    def log_density(key, x):
        return vipl.log_density(model, {"x": x}) - vipl.log_density(free, {}, key)

    with pytest.raises(AssertionError, match="standard errors"):
        check_given(log_density, "multinomial", resolution=10.0)


def test_a_draw_scored_anew_is_seen():
    """Wrong twin: a drawn path scored by a filter that did not draw it."""
    program = smoothed(jnp.asarray(THETA), *RUNS["multinomial"])

    def draw(key):
        first, second = jax.random.split(key)
        x, _, log_joint = drawing("multinomial")(first)
        return x, vipl.log_density(program, {"x": x}, second), log_joint

    with pytest.raises(AssertionError, match="standard errors"):
        check_drawn(draw, "multinomial", resolution=10.0)


def test_another_scheme_is_seen():
    """Wrong twin: the law of multinomial ancestors judged as that of systematic ones."""
    with pytest.raises(AssertionError, match="standard errors"):
        check_drawn(drawing("multinomial"), "systematic", count=100_000)


def test_evidence_does_not_depend_on_the_filter():
    """The enumeration agrees with itself: the mean evidence of every filter is the sum over paths."""
    found = [chance @ jnp.exp(log_z) for chance, log_z, _ in (every_run(THETA, *r) for r in RUNS.values() if r[0] == 3)]
    programs = jax.vmap(lambda x: vipl.log_density(hmm(jnp.asarray(THETA), 3), {"x": x}))(paths(3))
    np.testing.assert_allclose(found, jnp.sum(jnp.exp(programs)), rtol=1e-10)


def check_gradient(name, count=120_000, seed=0, **options):
    """Value and gradient of the bound, to 16 % of the largest entry."""
    theta = jnp.asarray(THETA)
    length = RUNS[name][0]

    def objective(key, theta):
        return objectives.elbo(key, hmm(theta, length), smoothed(theta, *RUNS[name], **options))

    exact = jax.value_and_grad(bound)(theta, *RUNS[name])
    found = sample(jax.value_and_grad(objective, argnums=1), count, theta, seed=seed)
    assert_unbiased(found, exact, resolution=0.16 * max(1.0, np.abs(exact[1]).max()))


@run
def test_gradient_of_the_bound(name):
    check_gradient(name)


def test_a_gradient_without_the_ancestors_score_is_seen():
    with pytest.raises(AssertionError, match="standard errors"):
        check_gradient("multinomial", gradient="biased")


def test_a_strict_expectation_refuses_the_biased_gradient(key):
    theta = jnp.asarray(THETA)

    @vipl.expectation(strict=True)
    def strict(theta):
        trace = vipl.simulate(smoothed(theta, *RUNS["multinomial"], gradient="biased"))
        return vipl.log_density(hmm(theta, 3), trace) - trace.log_density

    with pytest.raises(vipl.BiasError, match="ancestors"):
        strict(key, theta)
