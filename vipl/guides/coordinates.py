"""Coordinates: the values of several latent sites as one unconstrained vector.

    values, log_jacobian = coordinates.constrain(vector)      # {address: value}, log |d values / d vector|
    vector, log_jacobian = coordinates.unconstrain(values)    # the same Jacobian

A `Frame` moves and stretches the vector, `center + scale @ y`: in good coordinates y the posterior is about standard
normal, and one step size serves every model.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from vipl.guides.start.normal import Mode
from vipl.guides.support import Support


@dataclasses.dataclass(frozen=True)
class Block:
    """One site's part of the vector.

    Attributes:
        address: its address.
        shape: shape of its coordinates.
        dtype: name of their type.
        support: where its values lie.
        by_prior: whether the coordinates are relative to the prior, which takes the model to tell.
    """

    address: str
    shape: tuple[int, ...]
    dtype: str
    support: Support
    by_prior: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the coordinates are the values themselves, or what the prior makes values of."""
        return self.by_prior or self.support.is_real

    @property
    def size(self) -> int:
        """How many coordinates it has."""
        return math.prod(self.shape)


@dataclasses.dataclass(frozen=True)
class Coordinates:
    """The unconstrained coordinates of some sites, block by block.

    Attributes:
        blocks: the sites.
    """

    blocks: tuple[Block, ...]

    @property
    def by_prior(self) -> tuple[str, ...]:
        """Addresses of the sites whose coordinates are relative to the prior."""
        return tuple(block.address for block in self.blocks if block.by_prior)

    @property
    def size(self) -> int:
        """How many coordinates there are."""
        return sum(block.size for block in self.blocks)

    @property
    def dtype(self) -> np.dtype:
        """The type of the vector: the widest of the sites'."""
        return np.result_type(*(np.dtype(block.dtype) for block in self.blocks))

    def pieces(self, vector) -> list:
        """Cut a vector, of NumPy or JAX, into the coordinates of each site."""
        found, start = [], 0
        for block in self.blocks:
            found.append(vector[start : start + block.size].reshape(block.shape).astype(block.dtype))
            start += block.size
        return found

    def constrain(self, vector) -> tuple[dict, jax.Array]:
        """Return the values of the sites, and the log Jacobian determinant, a scalar."""
        values, log_jacobian = {}, jnp.zeros((), self.dtype)
        for block, piece in zip(self.blocks, self.pieces(vector), strict=True):
            if block.is_plain:
                values[block.address] = piece
                continue
            bijection = block.support.whole(len(block.shape))
            values[block.address] = bijection(piece)
            log_jacobian += bijection.log_abs_det_jacobian(piece, values[block.address])
        return values, log_jacobian

    def unconstrain(self, values) -> tuple[jax.Array, jax.Array]:
        """Return the vector of some values, and the log Jacobian determinant of the way back, a scalar."""
        pieces, log_jacobian = [], jnp.zeros((), self.dtype)
        for block in self.blocks:
            value = jnp.asarray(values[block.address], block.dtype)
            if block.is_plain:
                pieces.append(value)
                continue
            bijection = block.support.whole(len(block.shape))
            pieces.append(bijection.inv(value))
            log_jacobian += bijection.log_abs_det_jacobian(pieces[-1], value)
        flat = [jnp.ravel(piece).astype(self.dtype) for piece in pieces]
        return jnp.concatenate(flat) if flat else jnp.zeros(0), log_jacobian


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["center", "scale"], meta_fields=[], drop_fields=["modes"]
)
@dataclasses.dataclass(frozen=True)
class Frame:
    """An affine change of coordinates, `center + scale @ y`.

    Attributes:
        center: `(d,)`.
        scale: `(d,)`, one for each coordinate, or a lower triangular `(d, d)`.
        modes: what it was found from, the best first; they are there where a guide is built, and not carried along.
    """

    center: jax.Array | np.ndarray
    scale: jax.Array | np.ndarray
    modes: tuple[Mode, ...] = dataclasses.field(default=(), compare=False)

    def place(self, y):
        """Return the vector at y."""
        return self.center + (self.scale * y if self.scale.ndim == 1 else self.scale @ y)

    def find(self, vector):
        """Return the y of a vector."""
        away = vector - self.center
        if self.scale.ndim == 1:
            return away / self.scale
        return jax.scipy.linalg.solve_triangular(self.scale, away, lower=True)

    @property
    def log_jacobian(self):
        """Log determinant of the scale."""
        return jnp.sum(jnp.log(self.scale if self.scale.ndim == 1 else jnp.diagonal(self.scale)))
