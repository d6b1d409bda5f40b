"""Telling arrays from configuration, and configuration that is equal from configuration that is not.

`partition` splits any pytree into its array leaves and a hashable `Skeleton` that holds all the rest.
`FunctionKey` compares functions by their code, what they close over and the globals they name, so that a program,
a guide or an optimiser that is built anew for each call is still recognised by `jax.jit` and compiles nothing, and
one whose helper was redefined is not.

>>> from vipl._core.static import FunctionKey
>>> make = lambda rate: (lambda x: rate * x)
>>> FunctionKey(make(0.1)) == FunctionKey(make(0.1)), FunctionKey(make(0.1)) == FunctionKey(make(0.2))
(True, False)
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import types

import jax
import numpy as np

from vipl._core.source import is_user_file


def is_array_leaf(leaf) -> bool:
    """Return whether a leaf is data: an array, something shaped like one, or a Python float."""
    if isinstance(leaf, (float, complex)):
        return True
    if getattr(getattr(leaf, "dtype", None), "kind", "") in ("O", "U", "S"):  # strings and objects
        return False
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def plain_array(leaf):
    """Return an array leaf as JAX takes it: what belongs to another library, such as a column of pandas, as NumPy's."""
    if hasattr(leaf, "__array__") and not isinstance(leaf, (jax.Array, np.ndarray, np.generic)):
        return np.asarray(leaf)
    return leaf


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
    """A function that compares by its code, its defaults, what it closes over and the globals it names."""

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


_PLAIN = (str, bytes, int, bool, type(None), type(Ellipsis), np.dtype)
_SEEN = object()  # stands for a function or list that was met before


def _key_of(value, seen: list | None = None):
    """Return a hashable key; equal keys mean that the values behave the same.

    `seen` lists the functions and lists met so far: met again, they are known by their place in it, which ends
    recursion through closures and globals.
    """
    seen = [] if seen is None else seen
    if isinstance(value, (float, complex)):
        return (type(value), repr(value))  # tells -0.0 from 0.0, and knows nan again
    if isinstance(value, _PLAIN):
        return (type(value), value)
    if isinstance(value, StaticValue):
        return value._key
    if isinstance(value, (types.FunctionType, list)):
        if any(value is v for v in seen):
            return (_SEEN, [value is v for v in seen].index(True))
        seen.append(value)
    if isinstance(value, (tuple, list)):
        return (type(value), tuple(_key_of(v, seen) for v in value))
    if isinstance(value, types.FunctionType):
        return _function_key(value, seen)
    if isinstance(value, types.MethodType):
        return ("method", _key_of(value.__func__, seen), _key_of(value.__self__, seen))
    if isinstance(value, functools.partial):
        keywords = tuple(sorted(value.keywords.items()))
        return ("partial", _key_of(value.func, seen), _key_of(value.args, seen), _key_of(keywords, seen))
    if isinstance(value, (types.BuiltinFunctionType, types.ModuleType, type)):
        return _Identity(value)
    if hasattr(type(value), "static_contents"):
        return (type(value), _key_of(value.static_contents(), seen))
    return _object_key(value)


def _function_key(fn, seen):
    cells = fn.__closure__ or ()
    try:
        contents = tuple(_key_of(cell.cell_contents, seen) for cell in cells)
    except ValueError:  # a cell that is not filled yet
        return _Identity(fn)
    defaults = _key_of(fn.__defaults__ or (), seen)
    keywords = _key_of(tuple(sorted((fn.__kwdefaults__ or {}).items())), seen)
    return ("function", fn.__code__, id(fn.__globals__), defaults, keywords, contents, _globals_key(fn, seen))


def _globals_key(fn, seen):
    """Return the key of the globals that a user's function names; those of a library stay as they are."""
    file = fn.__code__.co_filename
    if not is_user_file(file) or "site-packages" in file:
        return ()
    names = [name for name in _global_names(fn.__code__) if name in fn.__globals__]
    return tuple((name, _key_of(fn.__globals__[name], seen)) for name in names)


@functools.lru_cache(maxsize=4096)
def _global_names(code) -> tuple[str, ...]:
    """Return the names of the globals that code reads, functions within it included."""
    names = [i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names += _global_names(inner)
    return tuple(dict.fromkeys(names))


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
