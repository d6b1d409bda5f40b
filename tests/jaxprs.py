"""The size of what JAX traces."""

import math

import jax
from jax.extend.core import jaxprs_in_params


def equations(function, *args, needed=False):
    """Count the equations of a function, those inside others too; with `needed`, only those that its results need."""
    return _count(jax.make_jaxpr(function)(*args).jaxpr, needed)


def _count(jaxpr, needed):
    if needed:
        jaxpr, _ = jax.interpreters.partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return len(jaxpr.eqns) + sum(_count(inner, needed) for inner in _inside(jaxpr))


def largest_array(function, *args):
    """Return the number of elements of the largest array that a function computes."""
    return _largest(jax.make_jaxpr(function)(*args).jaxpr)


def _largest(jaxpr):
    own = [math.prod(getattr(x.aval, "shape", ())) for eqn in jaxpr.eqns for x in eqn.outvars]
    return max([0, *own, *map(_largest, _inside(jaxpr))])


def _inside(jaxpr):
    return [getattr(inner, "jaxpr", inner) for eqn in jaxpr.eqns for inner in jaxprs_in_params(eqn.params)]
