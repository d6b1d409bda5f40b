"""Telling arrays from configuration, and configuration that is equal from configuration that is not.

`partition` splits any pytree into its array leaves and a hashable `Skeleton` that holds all the rest.
`FunctionKey` compares functions by their code and what they close over, so that a program, a guide or an
optimiser that is built anew for each call is still recognised by `jax.jit` and compiles nothing.

>>> from vipl._core.static import FunctionKey
>>> make = lambda rate: (lambda x: rate * x)
>>> FunctionKey(make(0.1)) == FunctionKey(make(0.1)), FunctionKey(make(0.1)) == FunctionKey(make(0.2))
(True, False)
"""

from __future__ import annotations

import dataclasses
import functools
import types

import jax
import numpy as np


def is_array_leaf(leaf) -> bool:
    """Return whether a leaf is data: an array, something shaped like one, or a Python float."""
    if isinstance(leaf, (float, complex)):
        return True
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "OUS":
        return False
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """A pytree without its arrays: the structure, and each leaf that is not an array."""

    treedef: object
    leaves: tuple  # a StaticValue, or None where an array belongs

    def fill(self, arrays):
        """Return the pytree with `arrays` (any objects, in order) in the places of the arrays."""
        arrays = iter(arrays)
        leaves = [next(arrays) if leaf is None else leaf.value for leaf in self.leaves]
        return jax.tree.unflatten(self.treedef, leaves)


def partition(tree) -> tuple[list, Skeleton]:
    """Split a pytree into its array leaves and the hashable rest."""
    leaves, treedef = jax.tree.flatten(tree)
    arrays = [leaf for leaf in leaves if is_array_leaf(leaf)]
    static = tuple(None if is_array_leaf(leaf) else StaticValue(leaf) for leaf in leaves)
    return arrays, Skeleton(treedef, static)


class StaticValue:
    """A value that compares and hashes by meaning where it can, else by identity."""

    def __init__(self, value):
        self.value = value
        self._key = _key_of(value)

    def __eq__(self, other):
        return type(other) is type(self) and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def __repr__(self):
        return f"{self.value!r}"


class FunctionKey(StaticValue):
    """A function that compares by its code, its defaults and what it closes over."""

    def __call__(self, *args, **kwargs):
        return self.value(*args, **kwargs)


class _Identity:
    """Compares by identity; holds the object, so that its id is not used again."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return type(other) is _Identity and self.value is other.value

    def __hash__(self):
        return id(self.value)


_PLAIN = (str, bytes, int, bool, float, complex, type(None), type(Ellipsis), np.dtype)
_BUSY = object()  # stands for a function inside itself (recursion through its own closure)


def _key_of(value, above: tuple = ()):
    """Return a hashable key; equal keys mean that the values behave the same."""
    if isinstance(value, _PLAIN):
        return (type(value), value) if value == value else _Identity(value)
    if any(value is v for v in above):
        return _BUSY
    above = (*above, value)
    if isinstance(value, StaticValue):
        return value._key
    if isinstance(value, (tuple, list)):
        return (type(value), tuple(_key_of(v, above) for v in value))
    if isinstance(value, types.FunctionType):
        return _function_key(value, above)
    if isinstance(value, types.MethodType):
        return ("method", _key_of(value.__func__, above), _key_of(value.__self__, above))
    if isinstance(value, functools.partial):
        keywords = tuple(sorted(value.keywords.items()))
        return ("partial", _key_of(value.func, above), _key_of(value.args, above), _key_of(keywords, above))
    if isinstance(value, (types.BuiltinFunctionType, types.ModuleType, type)):
        return _Identity(value)
    return _object_key(value)


def _function_key(fn, above):
    cells = fn.__closure__ or ()
    try:
        contents = tuple(_key_of(cell.cell_contents, above) for cell in cells)
    except ValueError:  # a cell that is not filled yet
        return _Identity(fn)
    defaults = _key_of(fn.__defaults__ or (), above)
    keywords = _key_of(tuple(sorted((fn.__kwdefaults__ or {}).items())), above)
    return ("function", fn.__code__, id(fn.__globals__), defaults, keywords, contents)


def _object_key(value):
    """Trust an object's own equality only if it hashes, is frozen by convention, and is not an array."""
    dataclass_params = getattr(type(value), "__dataclass_params__", None)
    if dataclass_params is not None and dataclass_params.frozen and dataclass_params.eq:
        try:
            hash(value)
        except TypeError:
            return _Identity(value)
        return (type(value), value)
    return _Identity(value)
