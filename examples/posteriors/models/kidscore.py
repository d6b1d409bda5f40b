"""Test scores of children by whether their mother finished high school, and by her IQ."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def regression(mom_hs, mom_iq, score):
    beta = vipl.sample("beta", dist.ImproperUniform(dist.constraints.real, (), (3,)))
    sigma = vipl.sample("sigma", dist.HalfCauchy(2.5))
    with vipl.plate("child", len(score)):
        mean = beta[0] + beta[1] * mom_hs + beta[2] * mom_iq
        vipl.sample("score", dist.Normal(mean, sigma), obs=score)


def model():
    data = read("kidscore")["data"]
    return regression(*(jnp.array(data[name], float) for name in ("mom_hs", "mom_iq", "kid_score")))
