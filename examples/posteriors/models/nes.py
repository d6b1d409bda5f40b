"""Party identification in the National Election Study of 2000, a number from 1 to 7, by eight covariates."""

import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def regression(x, party):
    beta = vipl.sample("beta", dist.ImproperUniform(dist.constraints.real, (), (x.shape[1],)))
    sigma = vipl.sample("sigma", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with vipl.plate("person", len(party)):
        vipl.sample("party", dist.Normal(x @ beta, sigma), obs=party)


def model():
    data = {name: jnp.array(values, float) for name, values in read("nes")["data"].items()}
    ages = [data["age_discrete"] == group for group in (2, 3, 4)]
    covariates = [data["real_ideo"], data["race_adj"], *ages, data["educ1"], data["gender"], data["income"]]
    return regression(jnp.stack([jnp.ones_like(data["partyid7"]), *covariates], axis=1), data["partyid7"])
