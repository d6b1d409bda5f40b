"""Addresses that are wrong in the program itself, in a guide, or in what is given by address."""

import jax
import jax.numpy as jnp

import vipl
import vipl.distributions as dist
from vipl import objectives

from .registry import Raises, fault

Y = jnp.array([0.3, -1.2, 0.8, 2.0])


@vipl.program
def regression(y=None):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    sigma = vipl.sample("sigma", dist.HalfNormal(2.0))
    with vipl.plate("data", Y.shape[0]):
        vipl.sample("y", dist.Normal(mu, sigma), obs=y)


def elbo(guide, model=None):
    return objectives.elbo(jax.random.key(0), regression(Y) if model is None else model, guide())


@fault(1, "duplicate address", Raises(vipl.AddressError, "'x'", "twice", "x_2"))
def duplicate():
    @vipl.program
    def model():
        vipl.sample("x", dist.Normal(0.0, 1.0))  # <- here
        vipl.sample("x", dist.Normal(0.0, 2.0))  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault(1, "duplicate address in a Python loop", Raises(vipl.AddressError, "'x'", "twice", 'f"x_{i}"'))
def duplicate_in_loop():
    @vipl.program
    def model():
        total = 0.0
        for _ in range(3):
            total += vipl.sample("x", dist.Normal(total, 1.0))  # <- here
        return total

    jax.jit(lambda key: vipl.simulate(model(), key).value)(jax.random.key(0))


@fault("1a", "duplicate address through a scope", Raises(vipl.AddressError, "'layer/w'", "twice"))
def duplicate_through_scope():
    @vipl.program
    def model():
        with vipl.scope("layer"):
            vipl.sample("w", dist.Normal(0.0, 1.0))  # <- here
        vipl.sample("layer/w", dist.Normal(0.0, 1.0))  # <- here

    vipl.log_density(model(), {"layer/w": 0.0})


@fault("1b", "one program nested twice at an address", Raises(vipl.AddressError, "'unit/x'", "twice"))
def nested_twice():
    @vipl.program
    def unit():
        return vipl.sample("x", dist.Normal(0.0, 1.0))  # <- here

    @vipl.program
    def model():
        return vipl.sample("unit", unit()) + vipl.sample("unit", unit())

    vipl.simulate(model(), jax.random.key(0))


@fault("1c", "duplicate inside a scan and outside", Raises(vipl.AddressError, "'x'", "twice"))
def duplicate_with_scan():
    @vipl.program
    def model():
        def step(carry, _):
            return vipl.sample("x", dist.Normal(carry, 1.0)), None  # <- here

        first = vipl.sample("x", dist.Normal(0.0, 1.0))  # <- here
        return jax.lax.scan(step, first, length=3)[0]

    vipl.simulate(model(), jax.random.key(0))


@fault(
    2,
    "misspelt guide address",
    Raises(vipl.AddressError, "'sigmaa'", "Did you mean 'sigma'", "sampled at"),
)
def misspelt():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("sigmaa", dist.LogNormal(0.0, 0.1))  # <- here

    elbo(guide)


@fault(3, "guide lacks a latent", Raises(vipl.AddressError, "'sigma'", "regression", "vipl.sample('sigma'"))
def lacking():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(0.0, 1.0))

    elbo(guide)


@fault(4, "guide has an auxiliary address", Raises(vipl.AddressError, "'aux'", "vipl.marginal("))
def auxiliary():
    @vipl.program
    def guide():
        aux = vipl.sample("aux", dist.Normal(0.0, 1.0))  # <- here
        vipl.sample("mu", dist.Normal(aux, 1.0))
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))

    elbo(guide)


@fault("4a", "guide nests its sites under a prefix", Raises(vipl.AddressError, "'q/mu'", "'mu'"))
def prefixed():
    @vipl.program
    def inner():
        vipl.sample("mu", dist.Normal(0.0, 1.0))  # <- here
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))

    @vipl.program
    def guide():
        vipl.sample("q", inner())

    jax.jit(lambda: elbo(guide))()


@fault(5, "guide samples an observed address", Raises(vipl.AddressError, "'y'", "observed", "'mu', 'sigma'"))
def samples_observed():
    @vipl.program
    def guide():
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))
        with vipl.plate("data", 4):
            vipl.sample("y", dist.Normal(mu, 1.0))  # <- here

    elbo(guide)


@fault(6, "obs= inside a guide", Raises(vipl.AddressError, "'y'", "obs=", "guide"))
def guide_observes():
    @vipl.program
    def guide():
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))
        with vipl.plate("data", 4):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=Y)  # <- here

    elbo(guide)


@fault("6a", "guide conditioned with |", Raises(vipl.AddressError, "'mu'"))
def guide_conditioned():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(0.0, 1.0))  # <- here
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))

    objectives.elbo(jax.random.key(0), regression(Y), guide() | {"mu": 1.0})


@fault("6b", "the model given as its own guide", Raises(vipl.AddressError, "'y'"))
def model_as_guide():
    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 4):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=y)  # <- here

    objectives.elbo(jax.random.key(0), model(Y), model(Y))
