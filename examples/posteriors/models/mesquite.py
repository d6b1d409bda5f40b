"""The weight of mesquite bushes by their measures, all in logarithms, with flat priors."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist

MEASURES = ("diam1", "diam2", "canopy_height", "total_height", "density")


@vipl.program
def regression(x, log_weight):
    beta = vipl.sample("beta", dist.ImproperUniform(dist.constraints.real, (), (x.shape[1],)))
    sigma = vipl.sample("sigma", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with vipl.plate("bush", len(log_weight)):
        vipl.sample("log_weight", dist.Normal(x @ beta, sigma), obs=log_weight)


def model():
    data = {name: jnp.array(values, float) for name, values in read("mesquite")["data"].items()}
    ones = jnp.ones_like(data["weight"])
    x = jnp.stack([ones, *(jnp.log(data[name]) for name in MEASURES), data["group"]], axis=1)
    return regression(x, jnp.log(data["weight"]))
