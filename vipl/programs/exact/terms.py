"""The terms of a log density as functions of the values of finite sites, and which elements of these each depends on."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl._core.constructs import Conditional
from vipl._core.estimated_density import Body
from vipl._core.statement import over_lanes
from vipl.lang.factor import FactorStatement
from vipl.lang.param import ParamStatement
from vipl.programs.exact.variables import Variable
from vipl.tracing.meaning import FactorOutput, log_prob_of, score
from vipl.transform.provenance import Dependence, propagate
from vipl.transform.provenance.alignment import whole


def terms_of(body: Body, outputs: dict, variables: list[Variable]) -> list:
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


def outline(body: Body, variables: list[Variable]) -> list[tuple[tuple[int, ...], Dependence]]:
    """Return, of each term, its shape and which elements of the variables it depends on; nothing runs.

    The choice of a dependence is `(i,)` for variable number i.
    """
    inside = body.jaxpr.in_avals
    values = [jax.ShapeDtypeStruct(_full_shape(v), v.points.dtype) for v in variables]

    def run(inputs, values):
        by_name = {v.name: value for v, value in zip(variables, values, strict=True)}
        given = {s.path: by_name[name] for name, group in body.sites.items() if name in by_name for s in group}
        _, outputs = Body(body.jaxpr, (), body.path, body.of).walk(_Score(), inputs, given)
        return terms_of(body, outputs, variables)

    staged = jax.make_jaxpr(run)(list(inside), values)
    nothing: list[Dependence] = [{} for _ in inside]
    own = [{(i,): whole(len(value.shape))} for i, value in enumerate(values)]
    found = propagate(staged, [*nothing, *own])
    return [(aval.shape, dependence) for aval, dependence in zip(staged.out_avals, found, strict=True)]


def _full_shape(variable: Variable):
    return variable.shape + variable.points.shape[1:]


class _Score:
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
