"""What a case is, the data of all, and the sites that most guides have."""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import constraints

X = jnp.array([-1.2, -0.5, 0.1, 0.4, 0.9, 1.5])
Y = jnp.array([-0.8, -0.9, 0.5, 0.1, 1.2, 1.0])
SIGMA = jnp.array([1.5, 1.0, 1.6, 1.1, 0.9, 1.1])
COUNTS = jnp.array([2, 0, 3, 1, 1, 4])
BINARY = jnp.array([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 0]])
TABLE = jnp.array([[0.3, -0.8, 1.1], [1.0, 0.4, 2.0]])
PAIRS = jnp.stack([X, Y], axis=1)
MASK = jnp.array([True, False, True, True, False, True])


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, its guide, and the arguments of both.

    `replays` is false where NumPyro's own ELBO draws anew in the model what the guide has drawn.
    """

    name: str
    model: Callable
    guide: Callable
    args: tuple = ()
    replays: bool = True


def normal(name, loc=0.1, scale=0.4, shape=()):
    """Sample a site of a guide from a normal with parameters of its own."""
    loc = numpyro.param(f"{name}_loc", jnp.full(shape, loc))
    scale = numpyro.param(f"{name}_scale", jnp.full(shape, scale), constraint=constraints.positive)
    return numpyro.sample(name, dist.Normal(loc, scale))


def positive(name, loc=0.1, scale=0.3):
    """Sample a positive site of a guide."""
    loc = numpyro.param(f"{name}_loc", loc)
    scale = numpyro.param(f"{name}_scale", scale, constraint=constraints.positive)
    return numpyro.sample(name, dist.LogNormal(loc, scale))


def mu_guide(*args):
    normal("mu")
