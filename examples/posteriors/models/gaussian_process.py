"""Regression by a Gaussian process, whose function is integrated out; `sigma` is the variance of the noise."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def gaussian_process(x, y):
    rho = vipl.sample("rho", dist.Gamma(25.0, 4.0))
    alpha = vipl.sample("alpha", dist.HalfNormal(2.0))
    sigma = vipl.sample("sigma", dist.HalfNormal(1.0))
    kernel = alpha**2 * jnp.exp(-0.5 * ((x[:, None] - x) / rho) ** 2)
    vipl.sample("y", dist.MultivariateNormal(jnp.zeros(len(x)), kernel + sigma * jnp.eye(len(x))), obs=y)


def model():
    data = read("gaussian_process")["data"]
    return gaussian_process(jnp.array(data["x"], float), jnp.array(data["y"]))
