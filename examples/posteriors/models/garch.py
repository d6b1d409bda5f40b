"""A GARCH(1,1) series: the variance of each value follows from the value before and its variance."""

import jax
import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def garch(y, first_scale):
    mu = vipl.sample("mu", dist.ImproperUniform(dist.constraints.real, (), ()))
    alpha0 = vipl.sample("alpha0", dist.ImproperUniform(dist.constraints.positive, (), ()))
    # (alpha1, beta1) is uniform on the triangle where alpha1 + beta1 < 1.
    alpha1 = vipl.sample("alpha1", dist.Beta(1.0, 2.0))
    share = vipl.sample("share", dist.Uniform(0.0, 1.0))
    beta1 = vipl.deterministic("beta1", share * (1 - alpha1))

    def following(variance, y):
        variance = alpha0 + alpha1 * (y - mu) ** 2 + beta1 * variance
        return variance, variance

    first = jnp.array(first_scale**2)
    _, later = jax.lax.scan(following, first, y[:-1])
    with vipl.plate("time", len(y)):
        vipl.sample("y", dist.Normal(mu, jnp.sqrt(jnp.append(first, later))), obs=y)


def model():
    data = read("garch")["data"]
    return garch(jnp.array(data["y"]), data["sigma1"])
