"""The draw of one particle among several: an ordinary choice, enumerated unless told otherwise."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from vipl._core import ambient
from vipl._core.estimated_density import Body, body_of
from vipl.estimators import Enumerate
from vipl.lang.sample import sample
from vipl.programs.staged import Relabel


def index_body(rule, address: str, count: int) -> Body:
    """Return the draw of an index as a body, whose input are the log weights.

    Args:
        rule: stands for the program with an estimated density.
        address: full address of the index.
        count: number of particles.
    """
    here = ambient.current().scope

    def draw(logits):
        name = address.removeprefix(here)
        return [sample(name, dist.Categorical(logits=logits), estimator=Enumerate(max_size=count))]

    logits = jax.ShapeDtypeStruct((count,), jnp.result_type(float))
    raw = body_of(draw, [logits])
    return body_of(lambda logits: raw.walk(Relabel(rule, here, lambda statement: True, here), [logits])[0], [logits])
