"""Guides, data and parameters outside of their supports, and draws at the very edge."""

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import objectives

from .registry import Equals, Raises, fault


@fault(15, "normal guide for a positive latent", Raises(vipl.SupportError, "'tau'", "positive", "LogNormal"))
def wider():
    @vipl.program
    def model():
        tau = vipl.sample("tau", dist.HalfNormal(1.0))  # <- here
        vipl.sample("y", dist.Normal(0.0, tau), obs=1.0)

    @vipl.program
    def guide():
        vipl.sample("tau", dist.Normal(1.0, 0.5))  # <- here

    objectives.elbo(jax.random.key(0), model(), guide())


@fault(
    15,
    "half-normal guide for a rate, in a plate, under jit",
    Raises(vipl.SupportError, "'rate'", "[0, 1]"),
)
def wider_in_plate():
    @vipl.program
    def model():
        with vipl.plate("n", 3):
            rate = vipl.sample("rate", dist.Beta(1.0, 1.0))  # <- here
            vipl.sample("y", dist.Bernoulli(rate), obs=jnp.array([0, 1, 1]))

    @vipl.program
    def guide(scale):
        with vipl.plate("n", 3):
            vipl.sample("rate", dist.HalfNormal(scale))  # <- here

    jax.jit(lambda scale: objectives.elbo(jax.random.key(0), model(), guide(scale)))(1.0)


@fault("15a", "Poisson guide for a category", Raises(vipl.SupportError, "'z'"))
def wider_discrete():
    @vipl.program
    def model():
        vipl.sample("z", dist.Categorical(jnp.ones(3) / 3))  # <- here

    @vipl.program
    def guide():
        vipl.sample("z", dist.Poisson(1.0))  # <- here

    trace = vipl.simulate(guide(), jax.random.key(0))
    vipl.log_density(model(), trace)


@fault("15b", "narrower guide is fine", Equals(-0.9189385 - 0.5 * 0.25))
def narrower():
    @vipl.program
    def model():
        vipl.sample("x", dist.Normal(0.0, 1.0))

    @vipl.program
    def guide():
        vipl.sample("x", dist.Delta(0.5))

    return vipl.log_density(model(), vipl.simulate(guide(), jax.random.key(0)))


@fault(27, "count data with −1", Raises(vipl.SupportError, "'y'", "-1", "(2,)", "nonnegative integers"))
def negative_count():
    @vipl.program
    def model(y):
        rate = vipl.sample("rate", dist.Gamma(1.0, 1.0))
        with vipl.plate("data", 4):
            vipl.sample("y", dist.Poisson(rate), obs=y)  # <- here

    vipl.simulate(model(jnp.array([1, 0, -1, -3])), jax.random.key(0))


@fault(27, "percentages as proportions", Raises(vipl.SupportError, "'y'", "55", "(0,)", "[0, 1]"))
def percentages():
    @vipl.program
    def model(y):
        a = vipl.sample("a", dist.LogNormal(0.0, 1.0))
        with vipl.plate("data", 2):
            vipl.sample("y", dist.Beta(a, 1.0), obs=y)  # <- here

    objectives.elbo(jax.random.key(0), model(jnp.array([55.0, 0.3])), model(None))


@fault(27, "observation outside by condition", Raises(vipl.SupportError, "'y'", "2", "Bernoulli"))
def conditioned_outside():
    @vipl.program
    def model():
        vipl.sample("y", dist.Bernoulli(0.3))

    vipl.log_density(model() | {"y": 2}, {})  # <- here


@fault("27a", "label 3 of 3 classes", Raises(vipl.SupportError, "'y'", "3", "0..2"))
def label_from_one():
    @vipl.program
    def model(y):
        with vipl.plate("data", 3):
            vipl.sample("y", dist.Categorical(jnp.ones(3) / 3), obs=y)  # <- here

    vipl.simulate(model(jnp.array([1, 2, 3])), jax.random.key(0))


@fault("27b", "under jit an observation outside counts as −inf", Equals((-np.inf, 0.0)))
def outside_under_jit():
    @vipl.program
    def model(rate, y):
        vipl.sample("y", dist.Exponential(rate), obs=y)

    return jax.jit(jax.value_and_grad(lambda rate, y: vipl.log_density(model(rate, y), {})))(1.0, -1.0)


@fault(28, "negative scale literal", Raises(vipl.SupportError, "'x'", "'scale'", "-1.0", "positive"))
def negative_scale():
    @vipl.program
    def model():
        vipl.sample("x", dist.Normal(0.0, -1.0))  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault(28, "probability above one, in a scan", Raises(vipl.SupportError, "'x'", "'probs'", "1.5", "[0, 1]"))
def probability_above_one():
    @vipl.program
    def model():
        def step(carry, _):
            return carry + vipl.sample("x", dist.Bernoulli(1.5)), None  # <- here

        return jax.lax.scan(step, 0, length=3)

    vipl.simulate(model(), jax.random.key(0))


@fault(
    "28a",
    "negative scale inside a transformed distribution",
    Raises(vipl.SupportError, "'x'", "scale", "positive"),
)
def negative_scale_inside():
    @vipl.program
    def model():
        with vipl.plate("n", 2):
            vipl.sample("x", dist.LogNormal(0.0, jnp.array([1.0, -2.0])).to_event(0))  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault(
    "28b",
    "covariance that is not positive definite",
    Raises(vipl.SupportError, "'x'", "covariance_matrix"),
)
def bad_covariance():
    @vipl.program
    def model(covariance):
        vipl.sample("x", dist.MultivariateNormal(jnp.zeros(2), covariance))  # <- here

    vipl.simulate(model(jnp.array([[1.0, 2.0], [2.0, 1.0]])), jax.random.key(0))


@fault("28c", "uniform with its bounds swapped", Raises(vipl.SupportError, "'x'"))
def swapped_bounds():
    @vipl.program
    def model():
        vipl.sample("x", dist.Uniform(1.0, 0.0))  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("28d", "a variance where NaN was computed", Raises(vipl.SupportError, "'x'"))
def nan_scale():
    @vipl.program
    def model(data):
        vipl.sample("x", dist.Normal(0.0, data.std()))  # <- here

    vipl.simulate(model(np.array([np.nan, 1.0])), jax.random.key(0))


@fault(46, "draws at the edge: Gamma(0.01), Beta(0.01, 0.01) stay inside", Equals((True, True, True)))
def edges():
    @vipl.program
    def model():
        with vipl.plate("n", 2000):
            a = vipl.sample("a", dist.Gamma(0.01, 1.0))
            b = vipl.sample("b", dist.Beta(0.01, 0.01))
            c = vipl.sample("c", dist.Dirichlet(jnp.full(3, 0.01)))
        return a, b, c

    trace = jax.jit(lambda key: vipl.simulate(model(), key))(jax.random.key(0))
    inside = jnp.all(trace["a"] > 0) & jnp.all((trace["b"] > 0) & (trace["b"] < 1))
    gradient = jax.grad(lambda a: vipl.log_density(model(), trace.choices | {"a": a}))(trace["a"])
    return bool(inside), bool(jnp.isfinite(trace.log_density)), bool(jnp.all(jnp.isfinite(gradient)))
