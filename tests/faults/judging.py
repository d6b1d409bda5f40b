"""Faults that show when a fit is judged: the weights of its draws."""

import jax
import jax.numpy as jnp

import vipl
import vipl.distributions as dist

from .registry import Equals, Raises, fault


def fitted(model):
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), 1.0))

    return vipl.infer(model, guide(), key=jax.random.key(0), num_steps=0, progress=False)


@vipl.program
def walled(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    vipl.factor("wall", jnp.where(mu > 1e6, 0.0, -jnp.inf))
    vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@fault(47, "all importance weights -inf: the verdict names the term", Equals(("poor", True, True)))
def no_weight():
    posterior = fitted(walled(0.5))
    return posterior.verdict, "'wall'" in repr(posterior), "judging.py:" in posterior.diagnose().advice[0]


@fault(47, "an expectation under weights that are all zero", Raises(vipl.DensityError, "every weight is zero"))
def expectation_without_weights():
    fitted(walled(0.5)).expectation(lambda draw: draw["mu"])  # <- here
