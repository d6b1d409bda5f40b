"""Reweighted wake-sleep with weights for each datum: by enumeration, of all data and of minibatches."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws
from jax import lax
from jax.scipy.stats import norm

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives
from vipl.objectives.elements import elements_of
from vipl.tracing.site_terms import site_terms

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("x64", "quick_compilation")]

DATA = np.array([[0.4, -0.3], [1.9, 2.4], [1.1, 0.2]])  # of each datum two pixels
CENTRES = np.array([0.0, 1.0, 2.0])
THETA = np.array([0.4, -0.7, 0.3, 0.9, -0.2])  # two logits of the prior, a shift; slope and offset of the guide


def logits_of(prior):
    return jnp.concatenate([jnp.zeros(1), prior])


@vipl.program
def model(theta, batch=None):
    with vipl.plate("datum", 3, subsample_size=batch) as index:
        z = vipl.sample("z", dist.Categorical(logits=logits_of(theta[:2])))
        with vipl.plate("pixel", 2):
            vipl.sample("y", dist.Normal(jnp.asarray(CENTRES)[z] + theta[2], 0.8), obs=jnp.asarray(DATA)[index].T)


def guide_logits(theta, data):
    return (theta[3] * jnp.asarray(data).mean(-1) + theta[4])[..., None] * jnp.arange(3.0)


@vipl.program
def guide(theta, batch=None, estimator=None):
    with vipl.plate("datum", 3, subsample_size=batch) as index:
        logits = guide_logits(theta, jnp.asarray(DATA)[index])
        vipl.sample("z", dist.Categorical(logits=logits), estimator=estimator)


def both(log_p, log_q):
    return log_p + log_q


OBJECTIVES = {
    "wake": (objectives.wake(2, plate="datum"), both),
    "wake_p": (objectives.wake_p(2, plate="datum"), lambda log_p, log_q: log_p),
    "wake_q": (objectives.wake_q(2, plate="datum"), lambda log_p, log_q: log_q),
}


def densities(theta):
    """Return log p and log q of each datum and state."""
    likelihood = norm.logpdf(DATA[:, None, :], CENTRES[:, None] + theta[2], 0.8).sum(-1)
    log_p = jax.nn.log_softmax(logits_of(theta[:2])) + likelihood
    return log_p, jax.nn.log_softmax(guide_logits(theta, DATA))


def exact(learned, num_particles=2):
    """Return the mean over all combinations of particles, which are drawn and weighed with fixed parameters."""

    def mean(theta):
        fixed = lax.stop_gradient(theta)
        (log_p, log_q), (at_p, at_q) = densities(theta), densities(fixed)
        total = 0.0
        for states in itertools.product(range(3), repeat=num_particles):
            states = np.array(states)
            weights = jax.nn.softmax((at_p - at_q)[:, states], axis=1)
            values = jnp.sum(weights * learned(log_p, log_q)[:, states], axis=1)
            total += jnp.sum(jnp.exp(jnp.sum(at_q[:, states], axis=1)) * values)
        return total

    return mean


def of_theta(objective, batch=None, estimator=None):
    return lambda key, theta: objective(key, model(theta, batch), guide(theta, batch, estimator))


def check(function, mean, count=20_000, fraction=0.1):
    """Check value and gradient to a fraction of their lengths."""
    value, gradient = jax.value_and_grad(mean)(jnp.array(THETA))
    keys = jax.random.split(jax.random.key(0), draws(count))
    values, gradients = jax.jit(jax.vmap(jax.value_and_grad(function, argnums=1), (0, None)))(keys, THETA)
    assert_unbiased(values, value, resolution=fraction * abs(value))
    assert_unbiased(gradients, gradient, resolution=fraction * np.linalg.norm(gradient))
    return gradients


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("batch", [None, 2, 1])
def test_value_and_gradient(name, batch):
    objective, learned = OBJECTIVES[name]
    gradients = check(of_theta(objective, batch), exact(learned))
    still = {"wake": slice(0, 0), "wake_p": slice(3, 5), "wake_q": slice(0, 3)}[name]
    assert not gradients[:, still].any()


@pytest.mark.parametrize(
    "estimator", [estimators.ScoreFunction(), estimators.MeasureValued()], ids=lambda e: type(e).__name__
)
def test_any_estimator_serves(estimator):
    check(of_theta(objectives.wake(2, plate="datum"), 2, estimator), exact(both))


def test_enumeration_has_no_variance():
    mean = exact(both)
    objective = of_theta(objectives.wake(2, plate="datum"), estimator=estimators.Enumerate())
    found = jax.jit(jax.value_and_grad(objective, argnums=1))(jax.random.key(0), THETA)
    for one, other in zip(found, jax.value_and_grad(mean)(jnp.array(THETA)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_three_particles():
    check(of_theta(objectives.wake(3, plate="datum"), 2), exact(both, 3))


def test_the_sum_is_of_the_same_particles():
    key = jax.random.key(0)
    for options in ({}, {"plate": "datum"}):
        wake, of_p, of_q = (
            jax.jit(jax.value_and_grad(of_theta(make(4, **options), 2), argnums=1))(key, THETA)
            for make in (objectives.wake, objectives.wake_p, objectives.wake_q)
        )
        jax.tree.map(lambda a, b, c: np.testing.assert_allclose(a, b + c, rtol=1e-12, atol=1e-12), wake, of_p, of_q)


class Together:
    """Weighs all data together."""

    @staticmethod
    def vmap(function, in_axes):
        return lambda log_p, log_q: function(log_p.sum(1), log_q.sum(1))


def test_wrong_weights_are_seen(monkeypatch):
    """One weight for all data; and minibatches that are not scaled."""
    objective = objectives.wake(2, plate="datum")
    with monkeypatch.context() as patch:
        patch.setitem(objective.fn.__globals__, "jax", Together)
        for batch in (None, 2):
            with pytest.raises(AssertionError, match="standard errors"):
                check(of_theta(objective, batch), exact(both))
    for batch in (None, 2):
        with pytest.raises(AssertionError, match="standard errors"):
            check(of_theta(objectives.wake(2), batch), exact(both))


def test_weights_of_a_scaled_density_are_seen(monkeypatch):
    """As if each datum of the minibatch had been seen 3/2 times."""
    objective = objectives.wake(2, plate="datum")
    monkeypatch.setitem(objective.fn.__globals__, "normalised_weights", lambda w, _: jax.nn.softmax(1.5 * w))
    with pytest.raises(AssertionError, match="standard errors"):
        check(of_theta(objective, 2), exact(both), 80_000, 0.05)


@vipl.program
def chains(data, batch=None):
    """The plate is not the last dimension, and sites in a scan have the steps in front."""
    with vipl.plate("datum", data.shape[0], dim=-2, subsample_size=batch) as index:
        start = vipl.sample("start", dist.Bernoulli(0.4))
        with vipl.plate("pixel", data.shape[1]):

            def step(before, y):
                z = vipl.sample("z", dist.Bernoulli(logits=before))
                vipl.sample(
                    "y", dist.Normal(jnp.stack([z, start + 0 * z], -1), 0.5).to_event(1), obs=jnp.stack([y, y], -1)
                )
                return 1.0 * z, None

            ys = data[index]
            lax.scan(step, jnp.zeros(ys.shape) + start, jnp.stack([ys, 0.5 * ys, ys + 1]))
        vipl.factor("warm", 0.3 * start)


@vipl.program
def guess(batch):
    with vipl.plate("datum", 3, dim=-2, subsample_size=batch):
        vipl.sample("start", dist.Bernoulli(0.4))


@pytest.mark.parametrize("batch", [None, 2])
def test_densities_of_elements(batch):
    """Each is that of a program of this element alone."""
    data, chosen = jnp.asarray(DATA), jnp.arange(3) if batch is None else jnp.array([2, 0])
    program = chains(data, batch)
    elements = elements_of(program, guess(batch), "datum", "wake")
    program = program if batch is None else program | {"datum": chosen}
    trace = vipl.simulate(program, jax.random.key(0))
    found = elements.log_density(term for _, term in site_terms(program, trace.choices).values())
    for n, i in enumerate(chosen):
        own = {"start": trace["start"][n, None], "z": trace["z"][:, n, None]}
        np.testing.assert_allclose(found[n], vipl.log_density(chains(data[i][None]), own), rtol=1e-12)
