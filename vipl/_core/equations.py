"""Going through the equations of a jaxpr: what flows from variable to variable, whatever it is.

Values flow where a jaxpr is run, and properties of values where it is only looked at. This is the one place that knows
how results become operands.
"""

from __future__ import annotations

from vipl._core.compat import Literal, open_jaxpr, scan_split


def flow(jaxpr, consts, operands, of_literal, step) -> list:
    """Go through an open jaxpr; returns what flows out.

    Args:
        jaxpr: the jaxpr.
        consts: what flows in at its constants.
        operands: what flows in at its inputs.
        of_literal: of a literal, what flows from it.
        step: `step(index, eqn, incoming)` returns what flows out of each result of an equation.
    """
    known = dict(zip(jaxpr.constvars, consts, strict=True))
    known.update(zip(jaxpr.invars, operands, strict=True))

    def read(atom):
        return of_literal(atom) if isinstance(atom, Literal) else known[atom]

    for index, eqn in enumerate(jaxpr.eqns):
        results = step(index, eqn, [read(atom) for atom in eqn.invars])
        known.update(zip(eqn.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def pass_over(jaxpr, operands, nothing, step) -> list:
    """Go through a jaxpr, open or closed, with a property of values, of which a constant has `nothing`."""
    opened, _ = open_jaxpr(jaxpr)
    return flow(opened, [nothing] * len(opened.constvars), operands, lambda _: nothing, step)


def pass_over_scan(eqn, operands, body, join) -> list:
    """Go through a `scan` with a property of values that can only grow, until what is handed on does no more.

    Args:
        eqn: the equation.
        operands: what its operands have of the property.
        body: `body(operands)` returns what one step makes of it.
        join: of what a component of the carry had and has now, what it has together.
    """
    num_consts, num_carry = scan_split(eqn.params)
    first_xs = num_consts + num_carry
    fixed, state, xs = operands[:num_consts], operands[num_consts:first_xs], operands[first_xs:]
    while True:
        results = body([*fixed, *state, *xs])
        after = [join(old, new) for old, new in zip(state, results[:num_carry], strict=True)]
        if after == state:
            return [*state, *results[num_carry:]]
        state = after
