"""Supports and their bijections, as configuration that compares by value."""

from __future__ import annotations

import jax
import numpy as np
from numpyro.distributions import biject_to, constraints
from numpyro.distributions.transforms import IndependentTransform


class Support:
    """A constraint that compares by value, so that a guide made again is the same program to `jax.jit`.

    Args:
        constraint: one of `dist.constraints`, with bounds that are known.
    """

    def __init__(self, constraint):
        self.constraint = constraint
        leaves, structure = jax.tree.flatten(constraint)
        arrays = [np.asarray(leaf) for leaf in leaves]
        self._key = (type(constraint), structure, tuple((a.shape, a.dtype.str, a.tobytes()) for a in arrays))

    def __eq__(self, other):
        return type(other) is Support and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def __repr__(self):
        return f"Support({self.constraint})"

    @property
    def is_real(self) -> bool:
        """Whether it is the whole space, so that its coordinates are the values themselves."""
        constraint = self.constraint
        while isinstance(constraint, type(constraints.independent(constraints.real, 1))):
            constraint = constraint.base_constraint
        return constraint is constraints.real

    @property
    def bijection(self):
        """NumPyro's transform from unconstrained values."""
        return biject_to(self.constraint)

    def unconstrained_shape(self, shape) -> tuple[int, ...]:
        """Return the shape of the coordinates of a value of some shape."""
        return tuple(self.bijection.inverse_shape(tuple(shape)))

    def whole(self, ndim: int):
        """Return the bijection of coordinates with `ndim` axes, all of which are one event."""
        bijection = self.bijection
        extra = ndim - bijection.domain.event_dim
        return IndependentTransform(bijection, extra) if extra else bijection
