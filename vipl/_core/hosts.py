"""Several hosts that run one program: what they must decide alike, and arrays that are spread over them.

With `jax.distributed`, every host runs the same Python, and all must make the same computations in the same order. On
one host, what is here does nothing.

>>> from vipl._core.hosts import agreed, gathered
>>> agreed(0.5), gathered(jax.numpy.ones(2))
(0.5, array([1., 1.], dtype=float32))
"""

from __future__ import annotations

import jax
import numpy as np


def agreed(value: float) -> float:
    """Return what the first host has here; all must ask."""
    if jax.process_count() == 1:
        return value
    from jax.experimental import multihost_utils

    return type(value)(multihost_utils.broadcast_one_to_all(np.asarray(value)))


def gathered(array):
    """Return an array of NumPy, with the parts of it that are on other hosts; all must ask."""
    if getattr(array, "is_fully_addressable", True) or array.is_fully_replicated:
        return np.asarray(array)
    from jax.experimental import multihost_utils

    return multihost_utils.process_allgather(array, tiled=True)
