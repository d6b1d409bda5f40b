"""Models that use the handlers of NumPyro inside."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.distributions import constraints
from numpyro.infer.reparam import LocScaleReparam, TransformReparam

from numpyro_programs.plain import eight_schools


def reparameterised(sigma, y):
    with handlers.reparam(config={"theta": LocScaleReparam(0)}):
        eight_schools(sigma, y)


def transformed(y):
    base = dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.AffineTransform(1.0, 2.0))
    with handlers.reparam(config={"x": TransformReparam()}):
        x = numpyro.sample("x", base)
    numpyro.sample("y", dist.Normal(x, 1.0), obs=y)  # more data than the site has elements, and no plate


def masked(y, mask):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    with numpyro.plate("data", len(y)), handlers.mask(mask=mask):
        numpyro.sample("y", dist.Normal(mu, 1.0), obs=y)
        numpyro.factor("penalty", -0.3 * mu**2)


def masked_distribution(y, mask):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    with numpyro.plate("data", len(y)):
        numpyro.sample("y", dist.Normal(mu, 1.0).mask(mask), obs=y)
    with handlers.mask(mask=False):
        numpyro.sample("ignored", dist.Normal(mu, 1.0), obs=3.0)


def scoped(y):
    for name in ("left", "right"):
        with handlers.scope(prefix=name), numpyro.plate("data", len(y)):
            x = numpyro.sample("x", dist.Normal(0.0, 1.0))
            numpyro.sample("y", dist.Normal(x, 1.0), obs=y)


def scoped_guide(y):
    for name in ("left", "right"):
        with handlers.scope(prefix=name), numpyro.plate("data", len(y)):
            numpyro.sample("x", dist.Normal(0.3 * y, 0.7))


def given(y):
    with handlers.condition(data={"tau": 0.7}), handlers.seed(rng_seed=3):
        tau = numpyro.sample("tau", dist.Gamma(2.0, 2.0))
        with handlers.substitute(data={"slope": jnp.array(1.5)}):
            tau = tau * numpyro.param("slope", 1.0, constraint=constraints.positive)
        mu = numpyro.sample("mu", dist.Normal(0.0, tau))
    with handlers.block(hide=["unseen"]):
        numpyro.sample("unseen", dist.Normal(mu, 1.0), obs=1.0)
    numpyro.sample("y", dist.Normal(mu, 1.0), sample_shape=(len(y),), obs=y)
