"""How the axes of a choice line up with the axes of a value that depends on it.

A value's `Dependence` says, for each choice that it depends on, and for each axis of that choice, one of

- `Along(a)`: element n of the value's axis a depends only on element n of the choice's axis;
- `Along(a, causal=True)`: element t depends on elements ≤ t;
- `JOINT`: any element may depend on any.

Claiming too little (`JOINT`) is always sound and costs variance only; claiming too much is wrong.

>>> from vipl.transform.provenance.alignment import JOINT, Along, merge
>>> merge({(0,): (Along(0), Along(1))}, {(0,): (Along(0), Along(2))})
{(0,): (Along(axis=0, causal=False), None)}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable


@dataclasses.dataclass(frozen=True, eq=False)
class Inside:
    """Stands, inside the body of a `scan` or a `vmap`, for the axis of its steps or lanes."""


@dataclasses.dataclass(frozen=True)
class Along:
    """The choice's axis runs along axis `axis` of the value; `causal` if earlier elements matter too."""

    axis: int | Inside
    causal: bool = False


JOINT = None

Alignment = tuple  # of Along or JOINT, one entry for each axis of the choice
Choice = tuple  # the path of its statement, or the name of a state (`summaries`)
Dependence = dict[Choice, Alignment]


def whole(rank: int) -> Alignment:
    """Return the alignment of a choice with itself."""
    return tuple(Along(axis) for axis in range(rank))


def merge(*dependences: Dependence) -> Dependence:
    """Return the dependence of a value made element by element from several."""
    merged: Dependence = {}
    for dependence in dependences:
        for choice, alignment in dependence.items():
            known = merged.get(choice)
            merged[choice] = alignment if known is None else tuple(map(_meet, known, alignment))
    return merged


def _meet(one, other):
    if one is JOINT or other is JOINT or one.axis != other.axis:
        return JOINT
    return one if one.causal else other


def move(dependence: Dependence, to: Callable[[int], Along | None]) -> Dependence:
    """Return a dependence with every axis replaced by what `to` says: an `Along` of the result, or JOINT."""

    def moved(entry):
        if entry is JOINT or isinstance(entry.axis, Inside):
            return entry
        target = to(entry.axis)
        return JOINT if target is None else Along(target.axis, entry.causal or target.causal)

    return {choice: tuple(map(moved, alignment)) for choice, alignment in dependence.items()}


def joint(dependence: Dependence) -> Dependence:
    """Return a dependence in which nothing lines up any more, but for the step or lane it is inside."""
    return move(dependence, lambda axis: JOINT)


def merge_all(dependences: Iterable[Dependence]) -> Dependence:
    """Return `merge` of any number of dependences."""
    return merge(*dependences)
