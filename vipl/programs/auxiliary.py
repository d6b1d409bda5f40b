"""A draw that an inference algorithm makes for itself: an ordinary choice, at an address, with an estimator."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from vipl._core import ambient
from vipl._core.estimated_density import Body, body_of
from vipl.estimators import Enumerate
from vipl.lang.sample import sample
from vipl.lang.scope import scope
from vipl.programs.staged import Relabel


def auxiliary(rule, address: str, law, inputs, estimator=None, estimates: bool = True) -> Body:
    """Return a draw as a body.

    Args:
        rule: stands for the program with an estimated density.
        address: its address in the program around.
        law: gives its distribution, of the inputs.
        inputs: their outlines.
        estimator: of its gradient, unless told otherwise at its address.
        estimates: whether it is drawn for the density of given values too.
    """
    here = ambient.current().scope
    *scopes, name = address.removeprefix(here).split("/")

    def draw(*values, scopes=tuple(scopes)):
        if scopes:
            with scope(scopes[0]):
                return draw(*values, scopes=scopes[1:])
        return [sample(name, law(*values), estimator=estimator)]

    raw = body_of(draw, inputs)
    hide = Relabel(rule, here, lambda statement: True, here, estimates=estimates)
    return body_of(lambda *values: raw.walk(hide, values)[0], inputs)


def index_of_particle(rule, address: str, count: int) -> Body:
    """Return the draw of one particle among several as a body, whose input are the log weights; enumerated."""
    logits = jax.ShapeDtypeStruct((count,), jnp.result_type(float))
    return auxiliary(rule, address, lambda w: dist.Categorical(logits=w), [logits], Enumerate(max_size=count))
