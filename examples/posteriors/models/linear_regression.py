"""Linear regression with proper priors, whose evidence is known."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def regression(x, y):
    beta = vipl.sample("beta", dist.Normal(0.0, 10.0).expand([x.shape[1]]))
    sigma = vipl.sample("sigma", dist.HalfNormal(10.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(x @ beta, sigma), obs=y)


def model():
    data = read("linear_regression")["data"]
    return regression(jnp.array(data["X"]), jnp.array(data["y"]))
