"""The trend of summer temperatures at Kilpisjärvi, by the calendar year: intercept and slope are all but one number."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def trend(year, temperature, alpha_prior, beta_prior):
    alpha = vipl.sample("alpha", dist.Normal(*alpha_prior))
    beta = vipl.sample("beta", dist.Normal(*beta_prior))
    sigma = vipl.sample("sigma", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with vipl.plate("year", len(year)):
        vipl.sample("temperature", dist.Normal(alpha + beta * year, sigma), obs=temperature)


def model():
    data = read("kilpisjarvi")["data"]
    alpha_prior, beta_prior = (data["pmualpha"], data["psalpha"]), (float(data["pmubeta"]), data["psbeta"])
    return trend(jnp.array(data["x"], float), jnp.array(data["y"]), alpha_prior, beta_prior)
