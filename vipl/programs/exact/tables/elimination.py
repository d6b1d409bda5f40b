"""Summing variables out one after the other, each over the tables that it is in.

A variable of the elements of a plate is summed out element by element. Only then is the product over the plate taken,
for a variable outside of it. The order is chosen so that tables stay small, once and for all, from their axes.
"""

from __future__ import annotations

import dataclasses
import math

from vipl.programs.exact.tables.axes import Layout
from vipl.programs.exact.tables.table import Table, product


@dataclasses.dataclass(frozen=True)
class Order:
    """An order of elimination.

    Attributes:
        variables: numbers of the variables, in that order.
        largest: how many states the largest table has, plates aside.
        widest: the numbers of the variables of that table.
        left: of each table that is left, the numbers of its variables and its plates.
    """

    variables: tuple[int, ...]
    largest: int
    widest: tuple[int, ...]
    left: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


class Entangled(Exception):
    """Elements of two plates depend on each other, each on each.

    Args:
        variable: number of a variable that must be one with its other elements in a plate.
        plate: the plate.
    """

    def __init__(self, variable: int, plate: int):
        super().__init__(variable, plate)
        self.variable, self.plate = variable, plate


def order_of(axes: Layout, keep=()) -> Order:
    """Return a good order, the variable of the smallest table first.

    Args:
        axes: the axes of the tables.
        keep: numbers of variables that stay.

    Raises:
        Entangled: there is none.
    """
    tables = [(set(mine), {p for p in plates if p is not None}) for mine, plates in axes.tables]
    left = [i for i in range(len(axes.variables)) if i not in keep]
    chosen: list[int] = []
    largest, widest = 1, ()

    def states(variables):
        return math.prod(axes.variables[i].states for i in variables)

    for mine, _ in tables:
        if states(mine) > largest:
            largest, widest = states(mine), tuple(sorted(mine))
    while left:
        costs = {}
        for i in left:
            around = [(mine, plates) for mine, plates in tables if i in mine]
            beyond = {p for _, plates in around for p in plates - set(axes.plates[i])}
            if not any(p in axes.plates[j] for mine, _ in around for j in mine for p in beyond):
                costs[i] = states(set().union(*(mine for mine, _ in around)))
        if not costs:
            raise _entangled(axes, tables, left)
        i = min(costs, key=lambda i: (costs[i], i))
        together = set().union(*(mine for mine, _ in tables if i in mine))
        if costs[i] > largest:
            largest, widest = costs[i], tuple(sorted(together))
        tables = [table for table in tables if i not in table[0]]
        rest = together - {i}
        tables.append((rest, {p for p in axes.plates[i] if any(p in axes.plates[j] for j in rest)}))
        left.remove(i)
        chosen.append(i)
    left_over = tuple((tuple(sorted(mine)), tuple(sorted(plates))) for mine, plates in tables)
    return Order(tuple(chosen), largest, widest, left_over)


def _entangled(axes, tables, left) -> Entangled:
    found = []
    for i in left:
        for mine, plates in tables:
            for plate in plates - set(axes.plates[i]) if i in mine else ():
                found += [(axes.variables[j].states, j, plate) for j in mine if plate in axes.plates[j]]
    _, j, plate = min(found)
    return Entangled(j, plate)


@dataclasses.dataclass(frozen=True)
class Eliminated:
    """What is left when variables are summed out.

    Attributes:
        tables: tables of what is left.
        steps: each variable in order, with the product of the tables that it was in.
    """

    tables: list[Table]
    steps: list[tuple[int, Table]]


def eliminate(tables: list[Table], order, axes: Layout) -> Eliminated:
    """Sum variables out of a product of tables, in an order."""
    tables, steps = list(tables), []
    for i in order:
        around = [table for table in tables if i in table.variables]
        tables = [table for table in tables if i not in table.variables]
        own = axes.plates[i]
        together = product([table.multiplied(set(table.plates) - set(own)) for table in around])
        steps.append((i, together))
        rest = together.summed([i])
        tables.append(rest.multiplied([p for p in own if not any(p in axes.plates[j] for j in rest.variables)]))
    return Eliminated(tables, steps)
