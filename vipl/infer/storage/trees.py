"""Nested containers of arrays in a file: as they were, or in the containers of a template.

The outline of a tree is stored as JSON, and names the array of every leaf. Dicts with string keys, lists, tuples and
None are made again from it; any other container, such as an optimiser's state, only comes back in a template, a tree
of the same outline. Nothing is imported, and no class is looked up.

>>> import os, tempfile, numpy as np
>>> from vipl.infer.storage import archive, trees
>>> path = os.path.join(tempfile.mkdtemp(), "params.vipl")
>>> outlines, arrays = trees.pack({"params": {"loc": np.zeros(2, np.float32), "rest": (np.ones(1, np.int32), None)}})
>>> list(arrays)
["params['loc']", "params['rest'][0]"]
>>> archive.write(path, "example", {"trees": outlines}, arrays)
>>> trees.unpack(archive.read(path, "example"), "params", fix="")
{'loc': Array([0., 0.], dtype=float32), 'rest': (Array([1], dtype=int32), None)}
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr, tree_leaves_with_path

from vipl.infer.storage.archive import Archive
from vipl.infer.storage.arrays import is_key
from vipl.infer.storage.outlines import Anything, containers, outline_of, walk
from vipl.infer.storage.refused import Refused

WIDE = 'jax.config.update("jax_enable_x64", True) at the start of the program'


def pack(trees: dict) -> tuple[dict, dict]:
    """Return the outlines of trees and all their leaves, both by name.

    Args:
        trees: trees of arrays, by name.

    Raises:
        Refused: two leaves of a tree have the same path.
    """
    outlines, arrays = {}, {}
    for name, tree in trees.items():
        leaves = {name + keystr(path): leaf for path, leaf in tree_leaves_with_path(tree)}
        if len(leaves) < jax.tree.structure(tree).num_leaves:
            raise Refused(f"{name} has leaves that are called the same", "a dataclass in place of the container")
        outlines[name] = outline_of(jax.tree.structure(tree), iter(leaves))
        arrays |= leaves
    return outlines, arrays


def unpack(archive: Archive, name: str, template=None, *, fix: str, on_host: bool = False):
    """Return a tree of a file.

    Args:
        archive: what was read.
        name: which of its trees.
        template: a tree of arrays, or of `jax.ShapeDtypeStruct`s: what comes back has its containers, and where it has
            arrays of NumPy or of a sharding, so has what comes back.
        fix: what to do if the tree in the file differs from the template.
        on_host: without a template, return arrays of NumPy, of whatever type.

    Raises:
        CheckpointError: the tree is not like the template, has containers that need one, or numbers that JAX does not
            compute with at present.
    """
    outline = archive.entry("trees", dict).get(name)
    if template is None:
        likes, structure = jax.tree.flatten(containers(outline, archive, fix))
        names = [like.name for like in likes]
        if on_host:
            return structure.unflatten(archive.array(leaf) for leaf in names)
    else:
        likes, structure = jax.tree.flatten(template)
        names = _checked_names(archive, name, outline, template, fix)
    leaves = []
    for leaf, like in zip(names, likes, strict=True):
        array = archive.array(leaf)
        _check_leaf(archive, leaf, array, like, fix)
        leaves.append(_placed(array, like))
    return structure.unflatten(leaves)


def _checked_names(archive, name, outline, template, fix) -> list[str]:
    """Return the names of the leaves, or say where the outline and the template first part."""
    outlines, found = pack({name: template})
    names = dict.fromkeys(text for text, is_leaf in walk(outline, archive) if is_leaf)
    for leaf in names:
        if leaf not in found:
            raise archive.refusal(f"has {leaf}, and here there is none", fix)
    for leaf in found:
        if leaf not in names:
            raise archive.refusal(f"has no {leaf}, and here there is one", fix)
    for (stored, _), (here, _) in zip(walk(outline, archive), walk(outlines[name], archive), strict=False):
        if stored != here:
            raise archive.refusal(f"has in {name} {stored}, and here is {here} in its place", fix)
    return list(names)


def _check_leaf(archive, name, array, like, fix) -> None:
    if not isinstance(like, np.ndarray) and not is_key(array) and jnp.result_type(array) != array.dtype:
        raise archive.refusal(f"has {name} of type {array.dtype}, and 64-bit types are off here", WIDE)
    if isinstance(like, Anything):
        return
    shape, dtype = np.shape(like), getattr(like, "dtype", None) or jnp.result_type(like)
    if array.shape != shape:
        raise archive.refusal(f"has {name} of shape {array.shape}, and here it has shape {shape}", fix)
    if array.dtype != dtype:
        raise archive.refusal(f"has {name} of type {array.dtype}, and here it is of type {dtype}", fix)


def _placed(array, like):
    if isinstance(like, np.ndarray):
        return array
    if isinstance(like, jax.Array) and like.committed:
        return jax.device_put(array, like.sharding)
    return jnp.asarray(array)
