"""A stage: a part of a program, in which some variables appear and some are summed out.

What goes from stage to stage are *values*, arrays that depend on variables that are left, one leading axis for each,
and *messages*, tables of the log density so far. All of this is known before the program runs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from vipl.programs.exact.axes import Layout, layout
from vipl.programs.exact.elimination import Entangled, Order, eliminate, order_of
from vipl.programs.exact.table import Table, product
from vipl.programs.exact.terms import Score
from vipl.programs.exact.variables import Variable
from vipl.transform.provenance import JOINT, Along, propagate
from vipl.transform.provenance.alignment import whole

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


class Joined(Exception):
    """Elements of a site of an earlier stage turn out to be looked at together along an axis."""

    def __init__(self, name: str, axis: int):
        super().__init__(name, axis)
        self.name, self.axis = name, axis


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
        dims = [*numbers[len(self.inputs) :], *(mine for mine, _ in self.axes.tables[: len(self.axes.tables) - len(messages)])]

        def one(states, inputs):
            values = {self.keys[i][0]: self.variables[i].value(states[i]) for i in self.new}
            results, terms = self.function(body, walker, inputs, values, given)
            return [*results, *terms]

        for i in reversed(range(len(self.keys))):
            in_axes = ([0 if j == i else None for j in range(len(self.keys))], [0 if i in n else None for n in numbers[: len(inputs)]])
            one = _over_states(one, in_axes, self.variables[i].states, [i in mine for mine in dims])
        arrays = one([jnp.arange(v.states) for v in self.variables], list(inputs))
        tables = [
            Table(mine, tuple(p for p in plates if p is not None), _summed(array, len(mine), plates))
            for array, (mine, plates) in zip([*arrays[count:], *messages], self.axes.tables, strict=True)
        ]
        done = eliminate(tables, self.order.variables, self.axes)
        settled = [table.array for table in done.tables if not table.variables]
        grouped = [
            product([done.tables[n] for n in group]).array for group in _groups(self.order.left)
        ]
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


def stage_of(function, body, inputs, messages, variables: dict[Key, Variable], new, keep) -> Stage:
    """Return a stage.

    Args:
        body: the program.
        function: see `Stage`.
        inputs: what is known of the values that it takes.
        messages: what is known of the messages that it takes.
        variables: the variables that there are.
        new: keys of those that appear here.
        keep: `keep(outputs)` returns the keys of those that stay, from what is known of the results.

    Raises:
        Joined: a site needs another joint axis.
    """
    keys = tuple(sorted({*new, *(key for handed in (*inputs, *messages) for key in handed.dependence)}))
    numbers = {key: i for i, key in enumerate(keys)}
    counted = []

    def run(inputs, values):
        results, terms = function(body, Score(), inputs, values, {})
        counted.append(len(results))
        return [*results, *terms]

    avals = [jax.ShapeDtypeStruct(handed.shape, handed.dtype) for handed in inputs]
    values = {key: jax.ShapeDtypeStruct(variables[key].value_shape, variables[key].points.dtype) for key in new}
    staged = jax.make_jaxpr(run)(avals, {key[0]: value for key, value in values.items()})
    by_name = sorted(values, key=lambda key: key[0])  # as JAX flattens a dict
    own = [{(numbers[key],): whole(len(values[key].shape))} for key in by_name]
    known = [{(numbers[key],): d for key, d in handed.dependence.items()} for handed in inputs]
    found = list(zip(staged.out_avals, propagate(staged, [*known, *own]), strict=True))
    count = counted[0]
    outputs = [Handed(a.shape, a.dtype, {keys[i]: e for (i,), e in d.items()}) for a, d in found[:count]]
    outlines = [(aval.shape, dependence) for aval, dependence in found[count:]]
    outlines += [(h.shape, {(numbers[key],): d for key, d in h.dependence.items()}) for h in messages]
    axes, order = _settled([variables[key] for key in keys], outlines, {numbers[key] for key in keep(outputs)})
    for key, now in zip(keys, axes.variables, strict=True):
        further = set(now.joint) - set(variables[key].joint)
        if further and key not in new:
            raise Joined(key[0], min(further))
    left = [order.left[group[0]] for group in _groups(order.left)]
    handed = [_message(mine, plates, keys, axes) for mine, plates in left]
    return Stage(function, keys, tuple(numbers[key] for key in new), axes, order, tuple(inputs), tuple(outputs), tuple(handed))


def _settled(variables, outlines, keep) -> tuple[Layout, Order]:
    """Return axes for which there is an order."""
    while True:
        axes = layout(variables, outlines)
        try:
            return axes, order_of(axes, keep)
        except Entangled as entangled:
            i, variables = entangled.variable, list(axes.variables)
            variables[i] = variables[i].with_joint(variables[i].tied[axes.plates[i].index(entangled.plate)])


def _groups(left) -> list[list[int]]:
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


def _message(mine, plates, keys, axes) -> Handed:
    shape = [0] * len(plates)
    dependence = {}
    for i in mine:
        variable, at = axes.variables[i], iter(axes.plates[i])
        alignment = []
        for axis, size in enumerate(variable.shape):
            if axis in variable.joint:
                alignment.append(JOINT)
            else:
                place = plates.index(next(at))
                shape[place] = size
                alignment.append(Along(place))
        dependence[keys[i]] = tuple(alignment)
    return Handed(tuple(shape), jnp.result_type(float), dependence)
