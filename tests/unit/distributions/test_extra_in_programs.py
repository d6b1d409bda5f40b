"""The distributions vipl adds, at sites: plates, events, vmap, jit, observations, guides of `vipl.infer`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased

import vipl
import vipl.distributions as dist
from vipl import estimators

pytestmark = pytest.mark.usefixtures("quick_compilation")

PROBS = np.array([0.2, 0.3, 0.5])
MAKE = {
    "one-hot": lambda p: dist.OneHotCategorical(probs=p),
    "one-hot logits": lambda p: dist.OneHotCategorical(logits=jnp.log(p)),
    "relaxed": lambda p: dist.RelaxedOneHotCategorical(0.6, probs=p),
    "log gamma": lambda p: dist.LogGamma(p.sum() / 3, p[0]),
}


@vipl.program
def everywhere(make, probs):
    d = make(probs)
    vipl.sample("plain", d)
    vipl.sample("expanded", d.expand([2, 4]))
    vipl.sample("event", d.expand([4]).to_event(1))
    with vipl.plate("n", 5):
        vipl.sample("plated", d)
    vipl.vmap(lambda i: vipl.sample("lanes", make(probs)))(jnp.arange(3))
    jax.lax.scan(lambda carry, _: (carry, vipl.sample("steps", make(probs))), 0.0, None, length=2)


@pytest.mark.parametrize("kind", MAKE)
def test_sites_of_every_shape(kind, key):
    program, event = everywhere(MAKE[kind], jnp.asarray(PROBS)), MAKE[kind](PROBS).event_shape
    trace = jax.jit(vipl.simulate)(program, key)
    batches = {"plain": (), "expanded": (2, 4), "event": (4,), "plated": (5,), "lanes": (3,), "steps": (2,)}
    assert {address: value.shape for address, value in trace.items()} == {a: b + event for a, b in batches.items()}
    d = MAKE[kind](jnp.asarray(PROBS))
    exact = sum(jnp.sum(d.log_prob(value)) for value in trace.values())
    np.testing.assert_allclose(trace.log_density, exact, rtol=1e-4)
    np.testing.assert_allclose(jax.jit(vipl.log_density)(program, trace), exact, rtol=1e-4)
    eager = vipl.simulate(program, key)
    np.testing.assert_allclose(eager["plated"], trace["plated"], rtol=1e-5)
    together = jax.vmap(lambda probs: vipl.log_density(everywhere(MAKE[kind], probs), trace))(jnp.stack([PROBS] * 2))
    np.testing.assert_allclose(together, [exact, exact], rtol=1e-4)


@pytest.mark.parametrize("dtype", [int, float])
def test_a_one_hot_observation(dtype):
    @vipl.program
    def model(probs, y):
        with vipl.plate("n", 2):
            vipl.sample("y", dist.OneHotCategorical(probs=probs), obs=y)

    y = np.eye(3, dtype=dtype)[[2, 0]]
    found, gradient = jax.value_and_grad(lambda p: vipl.log_density(model(p, y), {}))(jnp.asarray(PROBS))
    np.testing.assert_allclose(found, np.log(0.5 * 0.2), rtol=1e-6)
    np.testing.assert_allclose(gradient, [5.0, 0.0, 2.0], rtol=1e-6)
    with pytest.raises(vipl.SupportError, match="OneHotCategorical has one-hot vectors"):
        vipl.log_density(model(PROBS, y.at[0, 1].set(1) if hasattr(y, "at") else y + np.eye(3, dtype=dtype)[:2]), {})


WEIGHTS = jnp.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])


def squared(estimator):
    @vipl.expectation
    def objective(logits):
        with vipl.plate("n", 2):
            x = vipl.sample("x", dist.OneHotCategorical(probs=jax.nn.softmax(logits)), estimator=estimator)
        return jnp.sum(jnp.sum(x * WEIGHTS, -1) ** 2)

    return objective


LOGITS = jnp.log(jnp.asarray(PROBS))
EXACT = jax.grad(lambda logits: jnp.sum(jax.nn.softmax(logits) * WEIGHTS**2))(LOGITS)


@pytest.mark.parametrize(
    "estimator", [None, estimators.Enumerate(), estimators.SumAndSample(2), estimators.UnorderedSet(3)]
)
def test_one_hot_gradients_without_variance(estimator, key):
    gradient = jax.grad(squared(estimator), argnums=1)(key, LOGITS)
    np.testing.assert_allclose(gradient, EXACT, rtol=1e-5)


@pytest.mark.parametrize(
    "estimator", [estimators.ScoreFunction(), estimators.LeaveOneOut(3), estimators.Systematic(3)], ids=repr
)
def test_one_hot_gradients_by_scores(estimator, key):
    gradients = jax.jit(jax.vmap(jax.grad(squared(estimator), argnums=1), in_axes=(0, None)))
    assert_unbiased(gradients(jax.random.split(key, 20_000), LOGITS), EXACT, resolution=0.25)


@pytest.mark.parametrize("estimator", [estimators.Antithetic(), estimators.QuasiMonteCarlo(4), None], ids=repr)
def test_a_relaxed_category_is_served_by_arranged_noise(estimator, key):
    @vipl.expectation
    def objective(logits):
        x = vipl.sample("x", dist.RelaxedOneHotCategorical(1.0, logits=logits), estimator=estimator)
        return jnp.sum(x * WEIGHTS[0]) ** 2

    def exact(logits):  # over the simplex, at temperature 1: a ratio of exponentials
        uniform = (jnp.arange(400) + 0.5) / 400
        first, second = jnp.meshgrid(uniform, uniform)
        share = jnp.stack([1 - jnp.sqrt(first), jnp.sqrt(first) * (1 - second), jnp.sqrt(first) * second], -1)
        density = dist.RelaxedOneHotCategorical(1.0, logits=logits).log_prob(share)
        return jnp.mean(jnp.exp(density) / 2 * jnp.sum(share * WEIGHTS[0], -1) ** 2)

    assert "Reparam" in repr(objective.explain(LOGITS)) or estimator is not None
    found = jax.jit(jax.vmap(jax.grad(objective, argnums=1), in_axes=(0, None)))(jax.random.split(key, 20_000), LOGITS)
    assert_unbiased(found, jax.grad(exact)(LOGITS), resolution=0.2)


def test_a_one_hot_guide_finds_the_posterior(key):
    @vipl.program
    def model(y):
        z = vipl.sample("z", dist.OneHotCategorical(probs=PROBS))
        vipl.sample("y", dist.Normal(z @ jnp.array([-1.0, 0.0, 2.0]), 1.0), obs=y)

    @vipl.program
    def guide():
        vipl.sample("z", dist.OneHotCategorical(logits=vipl.param("logits", jnp.zeros(3))))

    posterior = vipl.infer(model(0.5), guide(), key=key, num_steps=500, progress=False)
    weights = PROBS * np.exp(-0.5 * (0.5 - np.array([-1.0, 0.0, 2.0])) ** 2)
    np.testing.assert_allclose(jax.nn.softmax(posterior.params["logits"]), weights / weights.sum(), atol=2e-3)
    assert abs(posterior.elbo - np.log(weights.sum() / np.sqrt(2 * np.pi))) < 1e-3


def test_a_log_gamma_guide_finds_a_small_shape(key):
    """Of a rate with a Gamma(0.02, 1) prior, in the log, given no event in unit time: Gamma(0.02, 2)."""

    @vipl.program
    def model(y):
        log_rate = vipl.sample("log_rate", dist.LogGamma(0.02, 1.0))
        vipl.sample("flat", dist.Normal(0.0, 1.0), obs=y)
        vipl.factor("no event", -jnp.exp(log_rate))

    @vipl.program
    def guide():
        a = vipl.param("a", jnp.array(0.1), constraint=dist.constraints.positive)
        b = vipl.param("b", jnp.array(1.0), constraint=dist.constraints.positive)
        vipl.sample("log_rate", dist.LogGamma(a, b))

    posterior = vipl.infer(model(0.0), guide(), key=key, num_steps=4000, num_samples=16, progress=False)
    found = vipl.simulate(posterior.guide, key).sites["log_rate"].distribution
    np.testing.assert_allclose(found.concentration, 0.02, rtol=0.05)
    assert abs(posterior.elbo - 0.02 * np.log(0.5) + 0.5 * np.log(2 * np.pi)) < 5 * posterior.elbo_se + 2e-3


def test_a_relaxed_guide_finds_the_prior(key):
    @vipl.program
    def model(y):
        z = vipl.sample("z", dist.RelaxedOneHotCategorical(0.7, probs=PROBS))
        vipl.sample("y", dist.Normal(z[0], 1e3), obs=y)

    @vipl.program
    def guide():
        temperature = vipl.param("temperature", jnp.array(1.0), constraint=dist.constraints.positive)
        vipl.sample("z", dist.RelaxedOneHotCategorical(temperature, logits=vipl.param("logits", jnp.zeros(3))))

    posterior = vipl.infer(model(0.0), guide(), key=key, num_steps=2000, num_samples=8, progress=False)
    found = vipl.simulate(posterior.guide, key).sites["z"].distribution
    np.testing.assert_allclose(found.probs, PROBS, atol=0.02)
    np.testing.assert_allclose(found.temperature, 0.7, atol=0.02)
