"""A program as a site of another: its statements join the outer program under a prefix."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.compat import staging_depth
from vipl._core.errors import ProgramError, ShapeError
from vipl._core.interpreter import interpret
from vipl._core.source import user_source
from vipl._core.staging import stage
from vipl._core.statement import Lane, statement_p
from vipl.lang.param import ParamStatement
from vipl.lang.program import Program
from vipl.lang.scope import scope


def sample_program(address, program: Program, obs, estimator, source):
    """Run a program inside the one that is being staged; see `vipl.sample`."""
    if obs is not None or estimator is not None:
        raise ProgramError(
            f"site {address!r} is a program; it takes neither obs= nor estimator=.",
            where=f"site {address!r}, {source}",
            fix='observe inside: program | {"inner": value}; give estimators to the inner sites',
        )
    with scope(address):
        return run_inside(program)


def run_inside(program: Program):
    """Run a program in the present surroundings, with what is observed and set in it, and its parameters."""
    if not (program.observations or program.interventions or program.params):
        return program.run()
    here = ambient.current()
    outside = staging_depth() - here.depth
    staged = stage(program.run, kind="nested")
    observed, set_, params = (
        {here.scope + address: value for address, value in (values or {}).items()}
        for values in (program.observations, program.interventions, program.params)
    )
    statements = {located.path: located.statement for located in staged.statements}
    handler = Rebind(statements, observed, set_, params, outside)
    results, _ = interpret(staged.jaxpr, staged.consts, [], handler, handler.given)
    return staged.out.fill(results)


class Rebind:
    """Binds every statement again, observed, set or with its parameter where that was asked for."""

    rebinds = True

    def __init__(self, statements, observations, interventions, params, outside):
        self.observations, self.interventions, self.params = observations, interventions, params
        self.outside = outside  # how many functions are being staged around the nested program
        self.given = {
            path: (observations | interventions)[statement.address]
            for path, statement in statements.items()
            if statement.address in observations or statement.address in interventions
        }

    def __call__(self, path, statement, operands, given):
        """Bind one statement again, or replace it by its value."""
        statement = dataclasses.replace(statement, depth=statement.depth + self.outside)
        if given is not None and hasattr(statement, "observed"):
            given = _in_plates(given, statement, operands)
        if statement.address in self.interventions:
            return given, None
        if isinstance(statement, ParamStatement) and statement.address in self.params:
            return statement.constrain(self.params[statement.address]), None
        if statement.address in self.observations:
            if not hasattr(statement, "observed"):
                return given, None
            return statement_p.bind(
                *_observe(operands, statement, given), statement=as_observed(statement, given)
            ), None
        return statement_p.bind(*operands, statement=statement), None

    def at_iteration(self, given, iteration):
        """Refuse: a site in a while_loop has no one value."""
        raise ProgramError(
            "a site inside a while_loop cannot be observed or set.",
            where=user_source(),
            fix="jax.lax.scan or fori_loop with Python-int bounds",
        )


def _in_plates(value, statement, operands):
    """Return a value of a site of a program that stands alone, repeated over the plates around the program."""
    value, lanes = jnp.asarray(value), len(statement.lanes)
    shape, whole = value.shape[lanes:], statement.shape
    batch_rank = len(whole) - len(statement.distribution(_leaves(operands, statement)).event_shape)
    plates = {batch_rank + frame.dim: frame.name for frame in ambient.current().plates}
    padded = (1,) * (len(whole) - len(shape)) + shape
    if any(a != b and not (a == 1 and i in plates) for i, (a, b) in enumerate(zip(padded, whole, strict=True))):
        raise ShapeError(
            f"{statement.address!r} has shape {shape} in the program alone and {whole} inside of the plates "
            f"{', '.join(map(repr, plates.values()))}: they have pushed a plate of the program aside.",
            where=statement,
            fix="dim=… for the plates around, further left than the batch dimensions of the nested program",
        )
    value = jnp.reshape(value, value.shape[:lanes] + padded)
    return jnp.broadcast_to(value, statement.full_shape)


def _leaves(operands, statement):
    return operands[:-1] if statement.observed else operands


def _observe(operands, statement, value):
    return [*_leaves(operands, statement), value]


def as_observed(statement, value):
    """Return a site's statement with its value observed; the value has every lane in front."""
    lanes = tuple(Lane(lane.size, (*_leaves_mapped(statement, lane), True)) for lane in statement.lanes)
    return dataclasses.replace(statement, observed=True, lanes=lanes, dtype=jnp.result_type(value))


def _leaves_mapped(statement, lane):
    return lane.mapped[:-1] if statement.observed else lane.mapped
