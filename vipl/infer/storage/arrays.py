"""Arrays as bytes: every type that JAX computes with, and typed keys.

An array is described by its type and shape, and stored as its elements in C order, little-endian; a key as its words,
and the name of its kind of generator.

>>> import numpy as np
>>> from vipl.infer.storage import arrays
>>> description = arrays.describe(np.array([1.5, 2.5], np.float32))
>>> description, arrays.size(description)
({'dtype': 'float32', 'shape': [2]}, 8)
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from vipl._core.hosts import gathered
from vipl.infer.storage.refused import Refused

_BY_NUMPY = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128"
_BY_ML_DTYPES = (
    "bfloat16 int2 int4 uint2 uint4 float4_e2m1fn float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn "
    "float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu"
)
_DTYPES = {name: np.dtype(name) for name in _BY_NUMPY.split()}
_DTYPES |= {name: np.dtype(getattr(ml_dtypes, name)) for name in _BY_ML_DTYPES.split()}

_MOST_AXES = 64  # of NumPy
_MOST_BYTES = 2**62


def is_key(array) -> bool:
    """Return whether an array is one of typed keys."""
    return jnp.issubdtype(array.dtype, jax.dtypes.prng_key)


def describe(array) -> dict:
    """Return the type and shape of an array, or the kind of its keys, the type of their words and the words' shape."""
    if is_key(array):
        return {"key": str(jax.random.key_impl(array))} | describe(jax.random.key_data(array))
    return {"dtype": array.dtype.name, "shape": list(array.shape)}


def plain(array, name: str) -> np.ndarray:
    """Return the elements of an array, gathered from all devices and hosts, or the words of keys.

    Raises:
        Refused: it is no array, or of a type that cannot be stored.
    """
    if not hasattr(array, "dtype") or not hasattr(array, "shape"):
        raise Refused(f"{name} is of type {type(array).__name__}, which is not an array", "jax.numpy.asarray(…)")
    values = gathered(jax.random.key_data(array) if is_key(array) else array)
    if values.dtype.name not in _DTYPES:
        raise Refused(f"{name} is of type {values.dtype}, which cannot be stored", "numbers, booleans or typed keys")
    return values.astype(values.dtype.newbyteorder("<"), order="C", copy=False)


def size(description) -> int:
    """Return how many bytes an array of this description takes.

    Raises:
        Refused: no array can have this description.
    """
    match description:
        case {"dtype": "uint32", "shape": list(shape), "key": str(), **rest} if not rest:
            itemsize = 4
        case {"dtype": str(name), "shape": list(shape), **rest} if not rest and name in _DTYPES:
            itemsize = _DTYPES[name].itemsize
        case _:
            raise _impossible(description)
    if len(shape) > _MOST_AXES or any(type(length) is not int or length < 0 for length in shape):
        raise _impossible(description)
    if math.prod(max(length, 1) for length in shape) * itemsize > _MOST_BYTES:
        raise _impossible(description)
    return math.prod(shape) * itemsize


def empty(description: dict) -> np.ndarray:
    """Return an array to read elements into."""
    return np.empty(description["shape"], _DTYPES[description["dtype"]].newbyteorder("<"))


def finished(values: np.ndarray, description: dict):
    """Return what the elements that have been read make: a NumPy array, or typed keys.

    Raises:
        Refused: there are no such keys.
    """
    if "key" not in description:
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    try:
        return jax.random.wrap_key_data(jnp.asarray(values), impl=description["key"])
    except (TypeError, ValueError):
        raise _impossible(description) from None


def _impossible(description) -> Refused:
    shown = repr(description)
    return Refused(f"has an array that cannot be: {shown if len(shown) <= 80 else shown[:79] + '…'}")
