"""Which axes the tables of a log density have: one for each variable, and one for each plate that they share.

A term of the log density has a *table*: its values for all states of the variables that it depends on. Where the
elements of several sites and terms are treated one by one along an axis, that is one *plate*, found by merging the
axes that line up. What lines up nowhere is a joint axis of its variable.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable

from vipl.programs.exact.tables.variables import Variable
from vipl.transform.provenance.alignment import JOINT

Plate = int


@dataclasses.dataclass(frozen=True)
class Layout:
    """The axes of the tables.

    Attributes:
        variables: the variables, with their joint axes.
        plates: of each variable, the plate of each tied axis.
        tables: of each term, the numbers of its variables, and the plate of each axis, None where it is summed.
    """

    variables: tuple[Variable, ...]
    plates: tuple[tuple[Plate, ...], ...]
    tables: tuple[tuple[tuple[int, ...], tuple[Plate | None, ...]], ...]


def layout(variables, outlines) -> Layout:
    """Return the axes of the tables of terms.

    Args:
        variables: the variables.
        outlines: of each term, its shape and which elements of the variables it depends on.
    """
    variables = list(variables)
    for i, one in enumerate(variables):
        for axis, size in enumerate(one.shape):
            alone = any((i,) in d and not _is_tied(d[(i,)][axis]) for _, d in outlines)
            if size == 1 or alone:
                variables[i] = variables[i].with_joint(axis)
    while (clash := _clash(variables, outlines)) is not None:
        i, axis = clash
        variables[i] = variables[i].with_joint(axis)
    merged = _merged(variables, outlines)
    numbers = {root: n for n, root in enumerate(dict.fromkeys(merged.values()))}
    plates = [tuple(numbers[merged["variable", i, axis]] for axis in v.tied) for i, v in enumerate(variables)]
    tables = []
    for t, (shape, dependence) in enumerate(outlines):
        mine = sorted(i for (i,) in dependence)
        keys = [("term", t, axis) for axis in range(len(shape))]
        tables.append((tuple(mine), tuple(numbers[merged[key]] if key in merged else None for key in keys)))
    return Layout(tuple(variables), tuple(plates), tuple(tables))


def _is_tied(entry) -> bool:
    return entry is not JOINT and not entry.causal


def _merged(variables, outlines) -> dict:
    """Return, of each tied axis of a variable and each axis of a term that lines up with one, what stands for all."""
    parent: dict[Hashable, Hashable] = {}

    def root(key):
        parent.setdefault(key, key)
        while parent[key] != key:
            key = parent[key]
        return key

    for i, one in enumerate(variables):
        for axis in one.tied:
            root(("variable", i, axis))
    for t, (_, dependence) in enumerate(outlines):
        for (i,), alignment in dependence.items():
            for axis in variables[i].tied:
                parent[root(("term", t, alignment[axis].axis))] = root(("variable", i, axis))
    return {key: root(key) for key in parent}


def _clash(variables, outlines) -> tuple[int, int] | None:
    """Return a tied axis whose plate a variable or a term has twice, by the variable's number, or None."""
    merged = _merged(variables, outlines)
    for i, one in enumerate(variables):
        roots = [merged["variable", i, axis] for axis in one.tied]
        for n, axis in enumerate(one.tied):
            if roots[n] in roots[:n]:
                return i, axis
    for t, (shape, dependence) in enumerate(outlines):
        seen: dict = {}
        for at in range(len(shape)):
            plate = merged.get(("term", t, at))
            if plate is not None and plate in seen:
                owners = [
                    (i, axis) for (i,), d in dependence.items() for axis in variables[i].tied if d[axis].axis == at
                ]
                return owners[0]
            seen[plate] = at
    return None
