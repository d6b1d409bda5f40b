"""A mixture of two normals in one dimension, whose means are in order."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def mixture(y):
    mu = vipl.sample("mu", dist.ImproperUniform(dist.constraints.ordered_vector, (), (2,)))
    vipl.factor("mu_prior", dist.Normal(0.0, 2.0).log_prob(mu).sum())
    sigma = vipl.sample("sigma", dist.HalfNormal(2.0).expand([2]))
    theta = vipl.sample("theta", dist.Beta(5.0, 5.0))
    weights = dist.Categorical(jnp.stack([theta, 1 - theta]))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.MixtureSameFamily(weights, dist.Normal(mu, sigma)), obs=y)


def model():
    return mixture(jnp.array(read("gaussian_mixture")["data"]["y"]))
