"""Rules for primitives that only move elements: an axis is kept, renumbered, or lost."""

from __future__ import annotations

import math

from vipl.transform.provenance.alignment import JOINT, Along


def identity(atom):
    """Return the map of an operand whose axes all stay."""
    return tuple(Along(axis) for axis in range(rank(atom)))


def rank(atom) -> int:
    """Return how many axes an operand has."""
    return len(atom.aval.shape)


def keep(eqn, lost):
    """Every operand keeps its axes in place, except those in `lost`; scalars have none."""
    return [tuple(JOINT if a in lost else Along(a) for a in range(rank(atom))) for atom in eqn.invars]


def drop(eqn, dropped):
    """The axes in `dropped` are gone from the result; the others move up; scalars have none."""

    def place(axis):
        return JOINT if axis in dropped else Along(axis - sum(d < axis for d in dropped))

    return [tuple(map(place, range(rank(atom)))) for atom in eqn.invars]


def whole_axes(eqn, sizes):
    """Axes of the first operand that are taken whole keep their place; the other operands are scalars."""
    shape = eqn.invars[0].aval.shape
    first = tuple(Along(axis) if sizes[axis] == size else JOINT for axis, size in enumerate(shape))
    return [first, *[() for _ in eqn.invars[1:]]]


def _broadcast_in_dim(eqn):
    shape, target = eqn.invars[0].aval.shape, eqn.outvars[0].aval.shape
    dimensions = eqn.params["broadcast_dimensions"]
    first = tuple(Along(int(to)) if shape[axis] == target[to] else JOINT for axis, to in enumerate(dimensions))
    return [first, *[() for _ in eqn.invars[1:]]]


def _transpose(eqn):
    order = list(eqn.params["permutation"])
    return [tuple(Along(order.index(axis)) for axis in range(rank(eqn.invars[0])))]


def _reshape(eqn):
    """An axis survives if it has the same size and the same number of elements before it."""
    before, after = eqn.invars[0].aval.shape, eqn.outvars[0].aval.shape
    if eqn.params.get("dimensions") is not None or 0 in before:
        return [(JOINT,) * len(before)]
    places = {(math.prod(after[:axis]), size): axis for axis, size in enumerate(after) if size > 1}
    found = [places.get((math.prod(before[:axis]), size)) for axis, size in enumerate(before)]
    first = tuple(JOINT if axis is None else Along(axis) for axis in found)
    return [first, *[() for _ in eqn.invars[1:]]]


def _pad(eqn):
    return keep(eqn, {a for a, config in enumerate(eqn.params["padding_config"]) if tuple(config) != (0, 0, 0)})


def _stack(eqn):
    new = eqn.params["axis"]
    return [tuple(Along(axis + (axis >= new)) for axis in range(rank(atom))) for atom in eqn.invars]


MOVING = {
    "broadcast_in_dim": _broadcast_in_dim,
    "concatenate": lambda eqn: keep(eqn, {eqn.params["dimension"]}),
    "pad": _pad,
    "reshape": _reshape,
    "rev": lambda eqn: keep(eqn, set(eqn.params["dimensions"])),
    "slice": lambda eqn: whole_axes(eqn, eqn.outvars[0].aval.shape),
    "split": lambda eqn: keep(eqn, {eqn.params["axis"]}),
    "squeeze": lambda eqn: drop(eqn, eqn.params["dimensions"]),
    "stack": _stack,
    "tile": lambda eqn: keep(eqn, {axis for axis, count in enumerate(eqn.params["reps"]) if count != 1}),
    "transpose": _transpose,
    "unstack": lambda eqn: drop(eqn, {eqn.params["axis"]}),
}
