"""A parameter of NumPyro as one of vipl: an array, a function of a key, or a pytree of arrays."""

from __future__ import annotations

import jax
from numpyro.handlers import seed

from vipl import lang


def declare_param(msg):
    """Declare the parameters of vipl that a `param` message stands for, and return their value.

    What a handler has put in is where the parameter starts, as in NumPyro's `SVI`. Without a start there is nothing
    to declare yet: the value is None then, and NumPyro's networks go on to make one.
    """
    constraint = msg["kwargs"].get("constraint")
    start = msg["value"] if msg["value"] is not None else msg["args"][0] if msg["args"] else _drawn(msg)
    if start is None:
        return None
    outline = jax.eval_shape(start, jax.random.key(0)) if callable(start) else start
    paths, structure = jax.tree.flatten_with_path(outline)
    if jax.tree_util.treedef_is_leaf(structure):
        return lang.param(msg["name"], start, constraint=constraint)
    starts = [_leaf(start, i) for i in range(len(paths))] if callable(start) else [leaf for _, leaf in paths]
    names = [f"{msg['name']}/{jax.tree_util.keystr(path, simple=True, separator='/')}" for path, _ in paths]
    values = [lang.param(n, s, constraint=constraint) for n, s in zip(names, starts, strict=True)]
    return jax.tree.unflatten(structure, values)


def _drawn(msg):
    """Return the start as a function of a key; NumPyro's takes it from the handler around."""
    return lambda key: seed(msg["fn"], key)(**msg["kwargs"])


def _leaf(start, index):
    return lambda key: jax.tree.leaves(start(key))[index]
