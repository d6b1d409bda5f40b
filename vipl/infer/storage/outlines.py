"""Outlines: the containers of a tree as JSON, with the name of each leaf in its place.

>>> import jax
>>> from vipl.infer.storage.outlines import outline_of
>>> outline_of(jax.tree.structure({"loc": 0, "rest": (0, None)}), iter(["first", "second"]))
{'dict': {'loc': 'first', 'rest': {'tuple': ['second', None]}}}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from vipl.infer.storage.refused import WRITE_ANEW


@dataclasses.dataclass(frozen=True)
class Anything:
    """Stands for the array of this name, of any shape and type."""

    name: str


def outline_of(structure, names: Iterator[str]):
    """Return a structure of JAX as JSON, with one of `names` in the place of each leaf."""
    node = structure.node_data()
    if node is None:
        return next(names)
    kind, keys = node
    children = [outline_of(child, names) for child in structure.children()]
    if kind is type(None):
        return None
    if kind is dict and all(isinstance(key, str) for key in keys):
        return {"dict": dict(zip(keys, children, strict=True))}
    if kind in (list, tuple):
        return {kind.__name__: children}
    return {kind.__name__ + "()": children}  # the parentheses tell a class that is called "dict" from dict


def walk(outline, archive) -> Iterator[tuple[str, bool]]:
    """Yield what an outline consists of, from outside to inside: its text, and whether it is a leaf."""
    if isinstance(outline, str):
        yield outline, True
    elif outline is None:
        yield "None", False
    else:
        kind, children = _parts(outline, archive)
        yield f"{kind.removesuffix('()')} of {list(outline['dict']) if kind == 'dict' else len(children)}", False
        for child in children:
            yield from walk(child, archive)


def containers(outline, archive, fix):
    """Return the containers of an outline, with `Anything` in the places of its leaves.

    Raises:
        CheckpointError: some are neither dicts with string keys, lists, tuples nor None.
    """
    if isinstance(outline, str):
        return Anything(outline)
    if outline is None:
        return None
    kind, children = _parts(outline, archive)
    made = [containers(child, archive, fix) for child in children]
    if kind == "dict":
        return dict(zip(outline["dict"], made, strict=True))
    if kind not in ("list", "tuple"):
        raise archive.refusal(f"holds a {kind.removesuffix('()')}, which comes back in a template only", fix)
    return made if kind == "list" else tuple(made)


def _parts(outline, archive) -> tuple[str, list]:
    """Return the kind of container at the top of an outline, and the outlines of what is in it."""
    if isinstance(outline, dict) and len(outline) == 1:
        ((kind, children),) = outline.items()
        if kind == "dict" and isinstance(children, dict):
            return kind, list(children.values())
        if kind != "dict" and isinstance(children, list):
            return kind, children
    raise archive.refusal("has no readable outline of its contents", WRITE_ANEW)
