"""Programs that the files of this folder share."""

import jax
import jax.numpy as jnp
from jax import lax

import vipl
import vipl.distributions as dist

KEY = jax.random.key(0)
NORMAL = dist.Normal(0.0, 1.0)
SERIES = jnp.array([0.1, 0.2, 0.3])


@vipl.program
def base(y=None):
    u = vipl.sample("u", dist.Normal(0.0, 1.0))
    x = vipl.sample("x", dist.Normal(u, 1.0))
    if y is not None:
        vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def proposes(**sites):
    for address, distribution in sites.items():
        vipl.sample(address, distribution)


@vipl.program
def walk(y, times=1):
    for i in range(times):

        def step(x, y, i=i):
            x = vipl.sample(f"x{i}", dist.Normal(x, 1.0))
            vipl.sample(f"y{i}", dist.Normal(x, 1.0), obs=y)
            return x, None

        lax.scan(step, 0.0, y)


@vipl.program
def impossible(theta):
    x = vipl.sample("x", dist.Normal(theta, 1.0))
    vipl.factor("f", jnp.where(x > 1e6, theta * x, -jnp.inf))


@vipl.program
def impossible_walk(theta, at):
    """No particle survives the step `at`."""

    def step(x, t):
        x = vipl.sample("x", dist.Normal(theta + x, 1.0))
        vipl.factor("f", jnp.where(jnp.logical_or(x > 1e6, t != at), theta * x, -jnp.inf))
        return x, None

    lax.scan(step, 0.0, jnp.arange(3))
