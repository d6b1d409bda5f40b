"""Estimators that cannot serve a site, and objectives that would be silently biased."""

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives

from .registry import Equals, Raises, Warns, fault

KEY = jax.random.key(0)


@fault(17, "a discrete guide site has a gradient by itself", Equals(-1.4418328))
def discrete_guide():
    """Exact: d/dp of p (log 0.3 + log N(0.5; 2, 1) − log p) + (1 − p) (log 0.7 + log N(0.5; 0, 1) − log(1 − p))."""

    @vipl.program
    def model():
        z = vipl.sample("z", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(2.0 * z, 1.0), obs=0.5)

    @vipl.program
    def guide(p):
        vipl.sample("z", dist.Bernoulli(p))

    return jax.grad(lambda p: objectives.elbo(KEY, model(), guide(p)))(0.4)


def jumps(z):
    return jnp.where(z > 0.5, 10.0, 0.0)


@fault(18, "reparameterised value through a jump", Warns(vipl.BiasWarning, "'z'", "ScoreFunction", value=0.0))
def jump():
    @vipl.expectation
    def objective(loc):
        z = vipl.sample("z", dist.Normal(loc, 1.0), estimator=estimators.Reparam())  # <- here
        return jumps(z)

    return jax.grad(objective, argnums=1)(KEY, 0.0)


@fault(18, "the same, strict", Raises(vipl.BiasError, "'z'", "estimation.py"))
def strict_jump():
    @vipl.expectation(strict=True)
    def objective(loc):
        z = vipl.sample("z", dist.Normal(loc, 1.0), estimator=estimators.Reparam())  # <- here
        return jumps(z)

    jax.grad(objective, argnums=1)(KEY, 0.0)


@fault(18, "the same, with the estimator that vipl picks, is unbiased", Equals(10 * 0.3520653, tolerance=0.03))
def picked_for_a_jump():
    @vipl.expectation(num_samples=100_000)
    def objective(loc):
        return jumps(vipl.sample("z", dist.Normal(loc, 1.0)))

    return jax.grad(objective, argnums=1)(KEY, 0.0)


@fault(22, "score function on a Uniform bound", Raises(vipl.EstimatorError, "'u'", "support moves", "Reparam"))
def moving_bound():
    @vipl.expectation
    def objective(high):
        u = vipl.sample("u", dist.Uniform(0.0, high), estimator=estimators.ScoreFunction())  # <- here
        return u**2

    jax.grad(objective, argnums=1)(KEY, 1.0)


@fault(23, "second derivative of a first-order estimator", Raises(vipl.EstimatorError, "MeasureValued", "first order"))
def second_derivative():
    @vipl.expectation
    def objective(loc):
        return vipl.sample("x", dist.Normal(loc, 1.0), estimator=estimators.MeasureValued()) ** 2

    jax.hessian(objective, argnums=1)(KEY, 1.0)


@fault(42, "enumeration of 30 coupled bits", Raises(vipl.EstimatorError, "'bits'", "4096", "(30,)", "ScoreFunction"))
def coupled_bits():
    @vipl.expectation
    def objective(p):
        bits = vipl.sample("bits", dist.Bernoulli(jnp.full(30, p)), estimator=estimators.Enumerate())  # <- here
        return jnp.exp(-(jnp.sum(bits) ** 2))

    objective(KEY, 0.5)


@fault("42a", "enumeration of 30 separate bits works", Equals(30 * 0.3 * np.exp(-1.0) + 30 * 0.7))
def separate_bits():
    @vipl.expectation
    def objective(p):
        bits = vipl.sample("bits", dist.Bernoulli(jnp.full(30, p)), estimator=estimators.Enumerate())
        return jnp.sum(jnp.exp(-1.0 * bits))

    return objective(KEY, 0.3)


def marginal_guide(particles):
    @vipl.program
    def guide():
        aux = vipl.sample("aux", dist.Normal(0.0, 1.0))
        vipl.sample("x", dist.Normal(aux, 1.0))

    return vipl.marginal(guide(), ["x"], vipl.Importance(num_particles=particles))


@fault("4b", "a draw's density estimated once more", Warns(vipl.VIPLWarning, "guide", "trace.log_density", "too high"))
def density_of_a_draw_anew():
    guide = marginal_guide(2)
    trace = vipl.simulate(guide, KEY)
    vipl.log_density(guide, trace, KEY)  # <- here


@fault("4c", "the density that belongs to the draw is right to subtract", Equals(0.0, tolerance=0.02))
def density_of_a_draw():
    """The mean weight of a target of mass one."""

    @vipl.expectation(num_samples=40_000)
    def weight():
        trace = vipl.simulate(marginal_guide(2))
        return jnp.exp(dist.Normal(0.0, 1.0).log_prob(trace["x"]) - trace.log_density) - 1.0

    return weight(KEY)
