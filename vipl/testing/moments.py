"""Running moments of draws."""

from __future__ import annotations

import numpy as np


class Moments:
    """Running moments of draws, each a vector."""

    def __init__(self):
        self.count, self.total, self.squares, self.largest = 0, 0.0, 0.0, 0.0

    def add(self, batch, centre):
        """Add draws `(count, size)`, of which the deviations from a centre are kept."""
        deviations = batch - centre
        self.count += len(batch)
        self.total = self.total + deviations.sum(axis=0)
        self.squares = self.squares + (deviations**2).sum(axis=0)
        self.largest = np.maximum(self.largest, (deviations**2).max(axis=0))

    def mean(self, centre):
        """Return the mean, given the same centre."""
        return centre + self.total / self.count

    @property
    def error(self):
        """The standard error of the mean."""
        variance = np.maximum(self.squares - self.total**2 / self.count, 0.0) / max(self.count - 1, 1)
        return np.sqrt(variance / self.count)

    def largest_share(self, slack):
        """Return the largest part of a variance that comes from one draw, of the elements that vary at all."""
        share = self.largest / np.maximum(self.squares, 1e-300)
        return share[self.error > slack].max(initial=0.0)
