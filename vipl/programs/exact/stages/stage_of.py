"""Finding a stage: what its values and terms depend on, the axes of its tables, and an order of elimination."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl.programs.exact.stages.stage import Handed, Key, Stage, groups
from vipl.programs.exact.tables.axes import Layout, layout
from vipl.programs.exact.tables.elimination import Entangled, Order, order_of
from vipl.programs.exact.tables.terms import Score
from vipl.programs.exact.tables.variables import Variable
from vipl.transform.provenance import JOINT, Along, propagate
from vipl.transform.provenance.alignment import whole


class Joined(Exception):
    """Elements of a site of an earlier stage turn out to be looked at together along an axis."""

    def __init__(self, name: str, axis: int):
        super().__init__(name, axis)
        self.name, self.axis = name, axis


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
    left = [order.left[group[0]] for group in groups(order.left)]
    handed = [_message(mine, plates, keys, axes) for mine, plates in left]
    return Stage(
        function, keys, tuple(numbers[key] for key in new), axes, order, tuple(inputs), tuple(outputs), tuple(handed)
    )


def _settled(variables, outlines, keep) -> tuple[Layout, Order]:
    """Return axes for which there is an order."""
    while True:
        axes = layout(variables, outlines)
        try:
            return axes, order_of(axes, keep)
        except Entangled as entangled:
            i, variables = entangled.variable, list(axes.variables)
            variables[i] = variables[i].with_joint(variables[i].tied[axes.plates[i].index(entangled.plate)])


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
