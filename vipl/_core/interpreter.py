"""A walk over a staged program that gives its statements a meaning.

`interpret` runs a jaxpr equation by equation. Ordinary equations run as they are; a statement is handed to a
`handler`; an equation that contains statements (`scan`, `cond`, …) is run by its rule in `constructs`, which
walks inside. What a handler needs for a statement comes in as `given[path]` and what it has to say goes out
as `outputs[path]`, where a *path* is the position of the statement in the nest of jaxprs. Both are threaded
through control flow in the functional way: inside a `scan` of length T they have a leading axis T.

    class Handler:
        rebinds = False                                          # True if it binds statements again
        def __call__(self, path, statement, operands, given): return value, output   # output may be None
        def at_iteration(self, given, iteration): ...            # `given` for one round of a while_loop
"""

from __future__ import annotations

import dataclasses
from typing import Any

from jax.extend.core import jaxprs_in_params

from vipl._core import constructs
from vipl._core.compat import as_varying, open_jaxpr, rebind, varying_axes
from vipl._core.equations import flow
from vipl._core.errors import ProgramError
from vipl._core.statement import Statement, statement_p


@dataclasses.dataclass(frozen=True)
class Located:
    """A statement at its place in a staged program.

    Attributes:
        path: position in the nest of jaxprs; the key of `given` and `outputs`.
        statement: the statement.
        eqn: its equation (operands are `eqn.invars`).
        axes: leading axes that the constructs around it add, outermost first.
        branches: for every `cond` or `switch` around it, the path of the construct and the branch's index.
        loop: the innermost `while_loop` around it, as a path, or None.
        estimators: what the nested expectations around it ask for: pairs of address glob and estimator, the innermost
            first.
    """

    path: tuple[int, ...]
    statement: Any  # a Statement of some kind
    eqn: Any
    axes: tuple[int, ...] = ()
    branches: tuple[tuple[tuple[int, ...], int], ...] = ()
    loop: tuple[int, ...] | None = None
    estimators: tuple = ()

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Shape of the value in a trace: construct axes, lanes, then the statement's own."""
        return self.axes + self.statement.full_shape


def locate(jaxpr, path=(), **around) -> list[Located]:
    """List every statement of a jaxpr, in the order in which they run."""
    found = []
    for index, eqn in enumerate(open_jaxpr(jaxpr)[0].eqns):
        here = (*path, index)
        if eqn.primitive is statement_p:
            found.append(Located(here, eqn.params["statement"], eqn, **around))
        elif has_statements(eqn):
            for step, body, surroundings in _construct(eqn).bodies(eqn, here, around):
                found += locate(body, (*here, step), **surroundings)
    return found


def has_statements(eqn) -> bool:
    """Return whether an equation is a construct with statements inside."""
    return any(
        inner.primitive is statement_p or has_statements(inner)
        for body in jaxprs_in_params(eqn.params)
        for inner in open_jaxpr(body)[0].eqns
    )


def statements_inside(eqn) -> list[Statement]:
    """List the statements in the jaxprs that an equation holds."""
    inner = [e for body in jaxprs_in_params(eqn.params) for e in open_jaxpr(body)[0].eqns]
    own = [e.params["statement"] for e in inner if e.primitive is statement_p]
    return own + [statement for e in inner for statement in statements_inside(e)]


def interpret(jaxpr, consts, operands, handler, given, path=(), indices=None):
    """Run a jaxpr with its statements given meaning.

    Args:
        jaxpr: an open jaxpr, with its `consts` and `operands`.
        consts: values of the constants.
        operands: values of the inputs.
        handler: called as `handler(path, statement, operands, given.get(path))`, returns `(value, output)`.
        given: `{path: pytree}`; leaves have the construct axes in front.
        path: where this jaxpr stands in the whole.
        indices: where its equations stand, if they are some of a jaxpr's.

    Returns:
        The list of results, and `{path: output}` for every statement that had an output.
    """
    outputs = {}

    def step(index, eqn, values):
        here = (*path, index if indices is None else indices[index])
        if eqn.primitive is statement_p:
            value, output = handler(here, eqn.params["statement"], values, given.get(here))
            if output is not None:
                outputs[here] = output
            aval = eqn.outvars[0].aval
            return [as_varying(constructs.with_types([value], [aval])[0], varying_axes(aval))]
        if has_statements(eqn):
            inside = {p: g for p, g in given.items() if p[: len(here)] == here}
            results, more = _construct(eqn).run(eqn, values, Walk(handler), inside, here)
            outputs.update(more)
            return results
        return rebind(eqn, values)

    return flow(jaxpr, consts, operands, lambda literal: literal.val, step), outputs


class Walk:
    """What a construct needs to go on inside: the interpreter with its handler."""

    def __init__(self, handler):
        self.handler = handler

    def __call__(self, body, operands, given, path):
        """Interpret a jaxpr inside a construct."""
        jaxpr, consts = open_jaxpr(body)
        return interpret(jaxpr, consts, operands, self.handler, given, path)


def _construct(eqn):
    construct = constructs.CONSTRUCTS.get(eqn.primitive.name)
    if construct is None:
        statement = next(s for body in jaxprs_in_params(eqn.params) for s in locate(body)).statement
        raise ProgramError(
            f"{statement.noun} {statement.address!r} is inside {eqn.primitive.name}, which programs cannot look into.",
            where=statement,
            fix="move the statement out of it; statements may be inside " + ", ".join(sorted(constructs.CONSTRUCTS)),
        )
    return construct
