"""Rubin's eight schools with standardised effects: the same posterior, without the funnel."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def eight_schools(sigma, y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfCauchy(5.0))
    with vipl.plate("school", len(y)):
        eta = vipl.sample("eta", dist.Normal(0.0, 1.0))
        theta = vipl.deterministic("theta", mu + tau * eta)
        vipl.sample("y", dist.Normal(theta, sigma), obs=y)


def model():
    data = read("eight_schools_noncentered")["data"]
    return eight_schools(jnp.array(data["sigma"], float), jnp.array(data["y"], float))
