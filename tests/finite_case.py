"""A program with finite sites, and the values that these can take; sums over all of them are the exact answers."""

import dataclasses
import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import vipl

START = np.array([0.2, 0.3, 0.5])
MOVES = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
SERIES = np.array([0.3, -0.4, 1.9, 1.1])


@dataclasses.dataclass(frozen=True)
class Case:
    """A program of one parameter.

    Attributes:
        make: `make(theta)` returns it.
        sites: of each finite site, its support and the shape of its elements.
        kept: values of the other latent sites.
    """

    make: Callable
    sites: dict
    kept: dict = dataclasses.field(default_factory=dict)

    @property
    def values(self) -> dict:
        """All values that the finite sites can take together, in front."""
        grids = [itertools.product(points, repeat=math.prod(shape)) for points, shape in self.sites.values()]
        rows = list(itertools.product(*grids))
        shapes = [shape for _, shape in self.sites.values()]
        return {
            name: jnp.array(np.array([row[i] for row in rows]).reshape(len(rows), *shape))
            for i, (name, shape) in enumerate(zip(self.sites, shapes, strict=True))
        }

    def log_densities(self, theta):
        """Return the joint log density of each of them with what is kept and observed."""
        return jax.vmap(lambda values: vipl.log_density(self.make(theta), self.kept | values))(self.values)


TWO, THREE = (0, 1), (0, 1, 2)
