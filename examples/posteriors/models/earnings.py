"""Log earnings of men and women by their height in inches, with flat priors."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def regression(height, log_earnings):
    beta = vipl.sample("beta", dist.ImproperUniform(dist.constraints.real, (), (2,)))
    sigma = vipl.sample("sigma", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with vipl.plate("person", len(height)):
        vipl.sample("log_earnings", dist.Normal(beta[0] + beta[1] * height, sigma), obs=log_earnings)


def model():
    data = read("earnings")["data"]
    return regression(jnp.array(data["height"], float), jnp.log(jnp.array(data["earn"], float)))
