"""The log density of a model at vectors of unconstrained coordinates, and its gradient, for algorithms of NumPy."""

from __future__ import annotations

import dataclasses
import functools

import jax
import numpy as np

from vipl.guides.coordinates import Coordinates
from vipl.guides.prior_coordinates import in_model
from vipl.lang.program import Program
from vipl.tracing.log_density import log_density

_AT_ONCE = 16  # vectors that are computed together


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
        size = 1 if len(vectors) == 1 else _AT_ONCE
        values, gradients = [], []
        for start in range(0, len(vectors), size):
            part = vectors[start : start + size]
            padded = np.concatenate([part, np.repeat(part[-1:], size - len(part), 0)])
            value, gradient = _evaluate(self.model, padded.astype(self.coordinates.dtype), self.coordinates)
            values.append(np.asarray(value, np.float64)[: len(part)])
            gradients.append(np.asarray(gradient, np.float64)[: len(part)])
        return np.concatenate(values), np.concatenate(gradients)


@functools.partial(jax.jit, static_argnums=2)
def _evaluate(model, vectors, coordinates):
    placed = in_model(coordinates, model)
    return jax.vmap(jax.value_and_grad(lambda vector: log_density_at(model, placed, vector)))(vectors)


def log_density_at(model, coordinates, vector):
    """Return the log density of a model at a vector of coordinates, a scalar in nats."""
    values, log_jacobian = coordinates.constrain(vector)
    return log_density(model, values) + log_jacobian
