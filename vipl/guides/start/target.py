"""The log density of a model at vectors of unconstrained coordinates, and its gradient, for algorithms of NumPy."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vipl.guides.coordinates import Coordinates
from vipl.guides.prior_coordinates import in_model
from vipl.lang.program import Program
from vipl.tracing.log_density import log_density

_AT_ONCE = 16  # vectors in one call


@dataclasses.dataclass
class Target:
    """The log density of a model in unconstrained coordinates, log p(z, y) + log |dz / dx|, in nats.

    Attributes:
        model: a conditioned Program, all of whose latent sites are in the coordinates.
        coordinates: the sites.
    """

    model: Program
    coordinates: Coordinates

    def at(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return log densities `(n,)` and gradients `(n, d)` at vectors `(n, d)`, in float64; not finite where none."""
        vectors = np.atleast_2d(vectors)
        values, gradients = [], []
        for start in range(0, len(vectors), _AT_ONCE):
            part = vectors[start : start + _AT_ONCE]
            padded = np.zeros((_AT_ONCE, self.coordinates.size), self.coordinates.dtype)
            padded[: len(part)] = part
            value, gradient = _evaluate(self.model, padded, np.int32(len(part)), self.coordinates)
            values.append(np.asarray(value, np.float64)[: len(part)])
            gradients.append(np.asarray(gradient, np.float64)[: len(part)])
        return np.concatenate(values), np.concatenate(gradients)


@functools.partial(jax.jit, static_argnums=3)
def _evaluate(model, vectors, count, coordinates):
    """Go through the first vectors one by one, so that one compilation serves one and many."""
    placed = in_model(coordinates, model)
    evaluate = jax.value_and_grad(lambda vector: log_density_at(model, placed, vector))

    def one(position, found):
        value, gradient = evaluate(vectors[position])
        return found[0].at[position].set(value), found[1].at[position].set(gradient)

    return lax.fori_loop(0, count, one, (jnp.zeros(len(vectors), vectors.dtype), jnp.zeros_like(vectors)))


def log_density_at(model, coordinates, vector):
    """Return the log density of a model at a vector of coordinates, a scalar in nats."""
    values, log_jacobian = coordinates.constrain(vector)
    return log_density(model, values) + log_jacobian
