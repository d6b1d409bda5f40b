"""The terms of a log density, given the values of all sites."""

from __future__ import annotations

import jax.numpy as jnp

from vipl._core.constructs import Conditional
from vipl._core.estimated_density import Body
from vipl._core.statement import over_lanes
from vipl.lang.factor import FactorStatement
from vipl.lang.param import ParamStatement
from vipl.tracing.meaning import FactorOutput, log_prob_of, score


def terms_of(body: Body, outputs: dict, variables) -> list:
    """Return the terms of the log density of a run, unsummed.

    A finite site in a branch that is not taken counts for each of its states; the last terms undo that.
    """
    terms = [term for output in outputs.values() if (term := log_prob_of(output)) is not None]
    for variable in variables:
        found = [outputs[s.path] for s in body.sites[variable.name] if s.path in outputs]
        if not all(isinstance(output, Conditional) for output in found):
            continue
        ran = jnp.zeros((), bool)
        for output in found:
            ran = jnp.logical_or(*_same_rank(ran, output.ran))
        ran = jnp.reshape(ran, ran.shape + (1,) * (len(variable.shape) - ran.ndim))
        terms.append(jnp.where(jnp.broadcast_to(ran, variable.shape), 0.0, -jnp.log(float(len(variable.points)))))
    return terms


def _same_rank(one, other):
    rank = max(one.ndim, other.ndim)
    return [jnp.reshape(x, x.shape + (1,) * (rank - x.ndim)) for x in (one, other)]


class Score:
    """Scores statements; of params only the shape counts."""

    rebinds = False

    def __call__(self, path, statement, operands, given):
        """Return the value of a statement and its log density."""
        del path
        if isinstance(statement, ParamStatement):
            return jnp.asarray(operands[0]) if operands else jnp.zeros(statement.full_shape, statement.dtype), None
        if isinstance(statement, FactorStatement):
            weight = over_lanes(jnp.asarray, statement.lanes)(*operands)
            return weight, FactorOutput(weight)
        if statement.observed:
            return _observed(statement, operands)
        if given is None:  # a kept site, of which the shape counts
            given = jnp.zeros(statement.full_shape, statement.dtype)
        return given, FactorOutput(score(statement, operands, given))

    def at_iteration(self, given, iteration):
        """Return what is given."""
        del iteration
        return given


def _observed(statement, operands):
    value = over_lanes(lambda *xs: jnp.asarray(xs[-1]), statement.lanes)(*operands)
    return value, FactorOutput(score(statement, operands[:-1], operands[-1], shared=True))
