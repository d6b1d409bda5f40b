"""Models with every kind of site that guides serve, all kinds in few models, so that few programs are compiled."""

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist

C = dist.constraints
COUNTS = np.array([3, 0, 2, 5, 1])
Y = np.array([0.3, -1.2, 2.2, 0.4, 1.3, -0.1], np.float32)


@vipl.program
def continuous_sites(counts):
    """Every support, and every place where a site can be; integer data."""
    mu = vipl.sample("real", dist.Normal(1.0, 2.0))
    flat = vipl.sample("flat", dist.ImproperUniform(C.real, (), (2,)))
    sigma = vipl.sample("positive", dist.HalfNormal(2.0))
    share = vipl.sample("unit", dist.Beta(2.0, 3.0))
    vipl.sample("interval", dist.Uniform(-1.0, 2.0))
    vipl.sample("simplex", dist.Dirichlet(jnp.ones(3)))
    normal = dist.Normal(jnp.zeros(3), 1.0).to_event(1)
    vipl.sample("ordered", dist.TransformedDistribution(normal, dist.transforms.OrderedTransform()))
    vipl.sample("lower", dist.ImproperUniform(C.lower_cholesky, (), (2, 2)))
    vipl.sample("correlation", dist.LKJCholesky(3, 1.0))
    with vipl.plate("rows", 2, dim=-2), vipl.plate("columns", 3, dim=-1):
        vipl.sample("cells", dist.Gamma(2.0, sigma))
    with vipl.plate("one", 1):
        vipl.sample("single", dist.Normal(mu, sigma))
    with vipl.plate("none", 0):
        vipl.sample("nobody", dist.Normal(mu, sigma))
    with vipl.plate("vectors", 2):
        vipl.sample("vector", dist.MultivariateNormal(jnp.zeros(3), jnp.eye(3)))

    def step(last, _):
        x = vipl.sample("walk", dist.Normal(last, sigma))
        return x, None

    last, _ = jax.lax.scan(step, mu, length=4)
    vipl.sample("inner", nested(mu))
    branches = (
        lambda: vipl.sample("branch", dist.Normal(mu, 1.0)),
        lambda: vipl.sample("branch", dist.Cauchy(mu, 2.0)),
    )
    branch = jax.lax.cond(counts[0] > 2, *branches)
    with vipl.plate("n", len(counts)):
        rate = jnp.exp(0.1 * (last + branch + flat[0])) * share + sigma
        vipl.sample("y", dist.Poisson(rate), obs=counts)


@vipl.program
def nested(mu):
    a = vipl.sample("a", dist.Normal(mu, 1.0))
    with vipl.plate("of inner", 2):
        vipl.sample("b", dist.LogNormal(a, 1.0))


@vipl.program
def discrete_sites(y):
    """Discrete sites alone: each kind, by itself, in a plate, and one with a plate inside of its event."""
    heads = vipl.sample("heads", dist.Bernoulli(0.3))
    with vipl.plate("n", len(y)):
        kind = vipl.sample("kind", dist.Categorical(probs=jnp.array([0.2, 0.3, 0.5])))
        vipl.sample("y", dist.Normal(kind + heads, 1.0), obs=y)
    hot = vipl.sample("hot", dist.OneHotCategorical(probs=jnp.array([0.5, 0.5])))
    vipl.factor("of hot", hot @ jnp.array([1.0, -1.0]))


@vipl.program
def subsampled_sites(y):
    """Local sites in a subsampled plate, beside a site that all share."""
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("n", len(y), subsample_size=3) as index:
        kind = vipl.sample("kind", dist.Bernoulli(0.3))
        scale = vipl.sample("scale", dist.Gamma(2.0, 1.0))
        shares = vipl.sample("shares", dist.Dirichlet(jnp.ones(3)))
        x = vipl.sample("x", dist.Normal(mu, scale))
        vipl.sample("y", dist.Normal(x + kind + shares[:, 0], 1.0), obs=jnp.asarray(y)[index])


def continuous():
    return continuous_sites(COUNTS)


def discrete():
    return discrete_sites(Y)


def subsampled():
    return subsampled_sites(Y)


SUPPORTS = {
    "real": C.real,
    "flat": C.independent(C.real, 1),
    "positive": C.positive,
    "unit": C.unit_interval,
    "interval": C.interval(-1.0, 2.0),
    "simplex": C.simplex,
    "ordered": C.ordered_vector,
    "lower": C.lower_cholesky,
    "correlation": C.corr_cholesky,
    "cells": C.positive,
    "inner/b": C.positive,
    "heads": C.boolean,
    "kind": C.integer_interval(0, 2),
    "hot": C.simplex,
    "scale": C.positive,
    "shares": C.simplex,
}
SHAPES = {
    "real": (),
    "flat": (2,),
    "positive": (),
    "unit": (),
    "interval": (),
    "simplex": (3,),
    "ordered": (3,),
    "lower": (2, 2),
    "correlation": (3, 3),
    "cells": (2, 3),
    "single": (1,),
    "nobody": (0,),
    "vector": (2, 3),
    "walk": (4,),
    "inner/a": (),
    "inner/b": (2,),
    "branch": (),
}
