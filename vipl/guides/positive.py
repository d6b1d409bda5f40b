"""Positive numbers as the softplus of others, and triangles with a positive diagonal.

What comes as an array of NumPy is worked out by NumPy, on the host: where a fit begins and where it ends, there is
nothing to compile.

>>> import numpy as np
>>> from vipl.guides.positive import softplus, softplus_inverse
>>> round(float(softplus(softplus_inverse(0.1))), 6), type(softplus(np.ones(2))).__name__
(0.1, 'ndarray')
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def softplus(raw):
    """Return log(1 + exp(raw)), which is positive."""
    return jax.nn.softplus(raw) if isinstance(raw, jax.Array) else np.logaddexp(raw, 0)


def softplus_inverse(positive):
    """Return the numbers whose softplus these are."""
    there = _module(positive)
    return positive + there.log(-there.expm1(-positive))


def lower_triangle(raw):
    """Return a lower triangular matrix with a positive diagonal, of any matrix: softplus on the diagonal."""
    there = _module(raw)
    return there.tril(raw, -1) + there.diag(softplus(there.diagonal(raw)))


def raw_triangle(triangle):
    """Return a matrix of which `lower_triangle` makes this one."""
    there = _module(triangle)
    return there.tril(triangle, -1) + there.diag(softplus_inverse(there.diagonal(triangle)))


def _module(array):
    return jnp if isinstance(array, jax.Array) else np
