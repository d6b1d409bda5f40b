"""A stage: a part of a program, in which some variables appear and some are summed out.

What goes from stage to stage are *values*, arrays that depend on variables that are left, one leading axis for each,
and *messages*, tables of the log density so far. All of this is known before the program runs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from vipl.programs.exact.tables.axes import Layout
from vipl.programs.exact.tables.elimination import Order, eliminate
from vipl.programs.exact.tables.table import Table, product
from vipl.programs.exact.tables.variables import Variable

OUTSIDE = -1
Key = tuple[str, int]  # a site's name, and how many steps of the scan ago it was drawn; OUTSIDE if it is not in there


@dataclasses.dataclass(frozen=True)
class Handed:
    """What is known of a value or a message that goes from stage to stage.

    Attributes:
        shape: its shape, the axes of variables aside.
        dtype: its dtype.
        dependence: how the elements of each variable line up with its axes.
    """

    shape: tuple[int, ...]
    dtype: Any
    dependence: dict[Key, tuple]

    def renamed(self, rename) -> Handed:
        """Return it with other keys."""
        return dataclasses.replace(self, dependence={rename(key): d for key, d in self.dependence.items()})

    @property
    def keys(self) -> list[Key]:
        """The keys of its leading axes, in order."""
        return sorted(self.dependence)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        function: `function(body, walker, inputs, values, given)` returns results and terms of the log density, with the
            values of sites that appear here by name, and of others by path.
        keys: the variables, in order.
        new: numbers of those that appear here.
        axes: the axes of the tables, of the terms first and then of the messages.
        order: of elimination.
        inputs: the values that it takes.
        outputs: the values that it hands on.
        messages: those that it hands on.
    """

    function: Any
    keys: tuple[Key, ...]
    new: tuple[int, ...]
    axes: Layout
    order: Order
    inputs: tuple[Handed, ...]
    outputs: tuple[Handed, ...]
    messages: tuple[Handed, ...]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables."""
        return self.axes.variables

    def run(self, body, walker, inputs, messages, given):
        """Run it.

        Args:
            body: the program.
            walker: gives statements their meaning, with the values of all sites given.
            inputs: arrays.
            messages: arrays.
            given: values of the other sites, by path.

        Returns:
            Arrays of the values and of the messages that it hands on, the log weight that is settled, and the steps of
            the elimination, as pairs of a variable's number and a table.
        """
        count = len(self.outputs)
        numbers = [[self.keys.index(key) for key in handed.keys] for handed in (*self.inputs, *self.outputs)]
        dims = [
            *numbers[len(self.inputs) :],
            *(mine for mine, _ in self.axes.tables[: len(self.axes.tables) - len(messages)]),
        ]

        def one(states, inputs):
            values = {self.keys[i][0]: self.variables[i].value(states[i]) for i in self.new}
            results, terms = self.function(body, walker, inputs, values, given)
            return [*results, *terms]

        for i in reversed(range(len(self.keys))):
            in_axes = (
                [0 if j == i else None for j in range(len(self.keys))],
                [0 if i in n else None for n in numbers[: len(inputs)]],
            )
            one = _over_states(one, in_axes, self.variables[i].states, [i in mine for mine in dims])
        arrays = one([jnp.arange(v.states) for v in self.variables], list(inputs))
        tables = [
            Table(mine, tuple(p for p in plates if p is not None), _summed(array, len(mine), plates))
            for array, (mine, plates) in zip([*arrays[count:], *messages], self.axes.tables, strict=True)
        ]
        done = eliminate(tables, self.order.variables, self.axes)
        settled = [table.array for table in done.tables if not table.variables]
        grouped = [product([done.tables[n] for n in group]).array for group in groups(self.order.left)]
        return arrays[:count], grouped, sum(settled, jnp.zeros(())), done.steps

    def conditional(self, i: int, table: Table, states: dict):
        """Return the log weights of the states of a variable, its tied axes in front, given the states of others."""
        own, variable = self.axes.plates[i], self.variables[i]
        others = [j for j in table.variables if j != i]
        sizes = tuple(variable.shape[axis] for axis in variable.tied)
        logits = table.over([*others, i], own)
        for j in others:
            at = jnp.broadcast_to(Table((), self.axes.plates[j], states[j]).over((), own), sizes)
            logits = jnp.take_along_axis(logits, jnp.reshape(at, (1,) * (logits.ndim - len(sizes)) + sizes), axis=0)[0]
        return jnp.moveaxis(logits, 0, -1)


def _over_states(function, in_axes, size, depends):
    """Map a function over the states of a variable; what does not depend on it has no axis for it."""
    mapped = jax.vmap(function, in_axes, axis_size=size)

    def run(states, inputs):
        return [x if own else x[0] for x, own in zip(mapped(states, inputs), depends, strict=True)]

    return run


def _summed(array, start, plates):
    return jnp.sum(array, tuple(start + n for n, plate in enumerate(plates) if plate is None))


def groups(left) -> list[list[int]]:
    """Return which tables become one message: those whose axes another one has, the largest first."""
    groups: list[list[int]] = []
    for n in sorted(range(len(left)), key=lambda n: (-len(left[n][0]), left[n])):
        mine, plates = left[n]
        if not mine:
            continue
        for group in groups:
            if set(mine) <= set(left[group[0]][0]) and plates == left[group[0]][1]:
                group.append(n)
                break
        else:
            groups.append([n])
    return groups
