"""Draws of values and gradients, and their moments."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from vipl.diagnostics.audit.variant import Variant

NUM_CHUNKS = 32
HEAVY = 0.05  # one draw with more than this share of the squares, and a variance means little


@dataclasses.dataclass
class Draws:
    """Draws of one variant, in chunks.

    Attributes:
        variant: what was drawn.
        centre: what gradients are measured from, leaf by leaf: their mean in a pilot run.
        means: mean gradient of every chunk, flat, less the centre; `(num_chunks, dimension)` once stacked.
        values: of each run.
        squares: squared lengths of the gradients less the centre; `(draws, num_leaves)` of each run.
        signed_sums: sums of all elements of the gradients with random signs: `(draws, 2)` of each run.
        seconds: of one gradient, in each run.
    """

    variant: Variant
    centre: list
    means: list = dataclasses.field(default_factory=list)
    values: list = dataclasses.field(default_factory=list)
    squares: list = dataclasses.field(default_factory=list)
    signed_sums: list = dataclasses.field(default_factory=list)
    seconds: list = dataclasses.field(default_factory=list)

    @functools.cached_property
    def flat_centre(self) -> np.ndarray:
        """The centre as one vector, in float64."""
        return flat(self.centre)

    @functools.cached_property
    def chunk_means(self) -> np.ndarray:
        """Mean gradient of every chunk: `(num_chunks, dimension)`."""
        return np.stack(self.means)

    @functools.cached_property
    def chunk_values(self) -> np.ndarray:
        """Mean value of every chunk: `(num_chunks,)`."""
        return np.concatenate(self.values).astype(np.float64).reshape(len(self.means), -1).mean(axis=1)

    @functools.cached_property
    def all_squares(self) -> np.ndarray:
        """Squared lengths of all draws: `(num_draws, num_leaves)`."""
        return np.concatenate(self.squares)

    @property
    def num_draws(self) -> int:
        """How many gradients were drawn."""
        return len(self.all_squares)

    @property
    def mean(self) -> np.ndarray:
        """The mean gradient, flat."""
        return self.flat_centre + self.chunk_means.mean(axis=0)

    @property
    def variances(self) -> np.ndarray:
        """Summed variance of the elements of every leaf: `(num_leaves,)`; what is mere rounding is zero."""
        n = self.num_draws
        shift = self.by_leaf(self.chunk_means.mean(axis=0))
        found = np.maximum(self.all_squares.sum(axis=0) - n * shift, 0.0) / (n - 1)
        rounding = (4 * np.finfo(self.values[0].dtype).eps) ** 2 * self.by_leaf(self.mean)
        return np.where(found <= rounding, 0.0, found)

    @property
    def rounding(self) -> float:
        """What a squared length may be by rounding alone."""
        return float((64 * np.finfo(self.values[0].dtype).eps) ** 2 * (self.variance + np.sum(self.mean**2)))

    @property
    def variance(self) -> float:
        """The sum of the variances of all elements of the gradient."""
        return float(self.variances.sum())

    @property
    def largest_share(self) -> float:
        """The share of the squares that one draw carries at most."""
        return largest_share(self.all_squares.sum(axis=1)) if self.variance > 0 else 0.0

    @property
    def finite(self) -> bool:
        """Whether every value and gradient is."""
        return bool(np.isfinite(self.all_squares).all() and np.isfinite(np.concatenate(self.values)).all())

    @property
    def seconds_per_gradient(self) -> float:
        """The median over the runs."""
        return float(np.median(self.seconds))

    def by_leaf(self, vector) -> np.ndarray:
        """Return the squared length of each leaf's part of a flat vector."""
        edges = np.cumsum([0, *(np.size(c) for c in self.centre)])
        return np.array([np.sum(vector[a:b] ** 2) for a, b in zip(edges[:-1], edges[1:], strict=True)])


def share_of_differences(draws: Draws, reference: Draws) -> float:
    """Return the share of the squared differences of two variants, draw by draw, that one draw carries."""
    differences = np.concatenate(draws.signed_sums) - np.concatenate(reference.signed_sums)
    squares = np.sum((differences - differences.mean(axis=0)) ** 2, axis=1)
    return largest_share(squares) if squares.mean() > draws.rounding + reference.rounding else 0.0


def flat(leaves) -> np.ndarray:
    """Return leaves as one vector, in float64."""
    return np.concatenate([np.ravel(np.asarray(leaf, dtype=np.float64)) for leaf in leaves])


def largest_share(squares: np.ndarray) -> float:
    """Return the share of a sum of squares that its largest member carries."""
    total = squares.sum()
    return float(squares.max() / total) if total > 0 else 0.0
