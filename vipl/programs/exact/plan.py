"""How the finite sites of a program are summed out: found once, when the program is made; nothing runs."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp

from vipl._core.errors import DensityError
from vipl._core.estimated_density import Body
from vipl.programs.exact.axes import Layout, layout
from vipl.programs.exact.elimination import Eliminated, Entangled, Order, eliminate, order_of
from vipl.programs.exact.table import Table
from vipl.programs.exact.terms import outline, terms_of
from vipl.programs.exact.variables import Variable
from vipl.programs.particle import run_particle


@dataclasses.dataclass(frozen=True)
class Plan:
    """The axes of the tables of a program's log density, and the order in which its variables are summed out.

    Attributes:
        axes: the axes of the tables.
        order: of elimination.
    """

    axes: Layout
    order: Order

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables."""
        return self.axes.variables

    def run(self, body: Body, handler, kept: dict, given: dict) -> Eliminated:
        """Sum the variables out.

        Args:
            body: the program.
            handler: the handler of the walk around.
            kept: values of all its other sites, by name.
            given: what the walk around is given.
        """

        def terms(*states):
            values = {v.name: v.value(state) for v, state in zip(self.variables, states, strict=True)}
            return terms_of(body, run_particle(body, handler, kept | values, given)[1], list(self.variables))

        arrays = _all_states(terms, self.axes)
        tables = [
            Table(mine, tuple(p for p in plates if p is not None), _summed(array, len(mine), plates))
            for array, (mine, plates) in zip(arrays, self.axes.tables, strict=True)
        ]
        return eliminate(tables, self.order.variables, self.axes)

    def conditional(self, i: int, table: Table, states: dict):
        """Return the log weights of the states of a variable, its tied axes in front, given those of others."""
        own = self.axes.plates[i]
        others = [j for j in table.variables if j != i]
        sizes = [self.variables[i].shape[axis] for axis in self.variables[i].tied]
        logits = table.over([*others, i], own)
        for j in others:
            at = Table((), self.axes.plates[j], states[j]).over((), own)
            at = jnp.broadcast_to(at, sizes)
            index = jnp.reshape(at, (1,) * (logits.ndim - len(sizes)) + at.shape)
            logits = jnp.take_along_axis(logits, index, axis=0)[0]
        return jnp.moveaxis(logits, 0, -1)


def _summed(array, start, plates):
    return jnp.sum(array, tuple(start + n for n, plate in enumerate(plates) if plate is None))


def _all_states(terms, axes: Layout):
    """Return the terms in all states of the variables that each depends on, one leading axis for each of these."""
    for i in reversed(range(len(axes.variables))):
        in_axes = [0 if j == i else None for j in range(len(axes.variables))]
        out_axes = [0 if i in mine else None for mine, _ in axes.tables]
        terms = jax.vmap(terms, in_axes, out_axes, axis_size=axes.variables[i].states)
    return terms(*(jnp.arange(v.states) for v in axes.variables))


def plan_of(body: Body, variables: list[Variable], most_states: int, purpose: str) -> Plan:
    """Return how the variables of a program are summed out.

    Raises:
        DensityError: a table would have too many states.
    """
    outlines = outline(body, variables)
    axes = layout(variables, outlines)
    while True:
        _check_size(axes, [i for i, v in enumerate(axes.variables) if v.states > most_states][:1], body, most_states, purpose)
        try:
            order = order_of(axes)
            break
        except Entangled as entangled:
            i = entangled.variable
            joint = axes.variables[i].tied[axes.plates[i].index(entangled.plate)]
            replaced = [v.with_joint(joint) if j == i else v for j, v in enumerate(axes.variables)]
            axes = layout(replaced, outlines)
    if order.largest > most_states:
        _check_size(axes, order.widest, body, most_states, purpose)
    return Plan(axes, order)


def _check_size(axes, together, body, most_states, purpose) -> None:
    if not together:
        return
    names = [axes.variables[i].name for i in together]
    states = functools.reduce(lambda product, i: product * axes.variables[i].states, together, 1)
    number = f"{states:,}" if states < 10**15 else "more than 10^15"
    whole = [f"all elements of {axes.variables[i].name!r} along axis {a}" for i in together for a in axes.variables[i].joint]
    raise DensityError(
        f"{purpose} by vipl.Exact needs a table of {number} states, of {', '.join(map(repr, names))} together"
        + (f"; {', '.join(whole)} are looked at together." if whole else "."),
        where=body.sites[names[0]][0].statement,
        fix=f"vipl.Importance(…), which draws; vipl.Exact(most_states=…) allows more than {most_states:,}",
    )
