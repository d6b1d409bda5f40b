"""Rubin's eight schools, written directly: a funnel, where tau is small and all the effects are near mu."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def eight_schools(sigma, y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", len(y)):
        theta = vipl.sample("theta", dist.Normal(mu, tau))
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)


def model():
    data = read("eight_schools_centered")["data"]
    return eight_schools(jnp.array(data["sigma"], float), jnp.array(data["y"], float))
