"""A hidden Markov model of two states: their means are in order, and the states are summed out."""

import jax
import jax.numpy as jnp
from reference import read

import vipl
import vipl.distributions as dist


@vipl.program
def hidden_markov(y):
    theta1 = vipl.sample("theta1", dist.Dirichlet(jnp.ones(2)))
    theta2 = vipl.sample("theta2", dist.Dirichlet(jnp.ones(2)))
    mu = vipl.sample("mu", dist.ImproperUniform(dist.constraints.positive_ordered_vector, (), (2,)))
    vipl.factor("mu_prior", dist.Normal(jnp.array([3.0, 10.0]), 1.0).log_prob(mu).sum())
    transition = jnp.stack([theta1, theta2])

    def step(weights, y):
        state = vipl.sample("state", dist.Categorical(weights))
        vipl.sample("y", dist.Normal(mu[state], 1.0), obs=y)
        return transition[state], None

    jax.lax.scan(step, jnp.array([0.5, 0.5]), y)


def model():
    y = jnp.array(read("hidden_markov")["data"]["y"])
    return vipl.marginal(hidden_markov(y), ["theta1", "theta2", "mu"], vipl.Exact())
