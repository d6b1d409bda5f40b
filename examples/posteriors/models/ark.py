"""A time series that is autoregressive of order five, with an intercept."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def autoregression(y, order):
    """The first `order` values are conditioned on."""
    alpha = vipl.sample("alpha", dist.Normal(0.0, 10.0))
    beta = vipl.sample("beta", dist.Normal(0.0, 10.0).expand([order]))
    sigma = vipl.sample("sigma", dist.HalfCauchy(2.5))
    mean = alpha + sum(beta[k] * y[order - 1 - k : -1 - k] for k in range(order))
    with vipl.plate("time", len(y) - order):
        vipl.sample("y", dist.Normal(mean, sigma), obs=y[order:])


def model():
    data = read("ark")["data"]
    return autoregression(jnp.array(data["y"]), data["K"])
