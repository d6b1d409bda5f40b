"""A normal approximation of a posterior, in NumPy and float64."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Normal:
    """A normal distribution of vectors of coordinates.

    Attributes:
        mean: `(d,)`.
        scale: lower triangular, `(d, d)`; its square is the covariance.
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, mean, covariance) -> Normal:
        """Return the normal distribution of a covariance, which may fail to be positive by rounding."""
        spread = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
        correlation = covariance / np.outer(spread, spread)
        correlation = (correlation + correlation.T) / 2
        for jitter in (0.0, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2):
            try:
                triangle = np.linalg.cholesky(correlation + jitter * np.eye(len(spread)))
            except np.linalg.LinAlgError:
                continue
            return cls(np.asarray(mean), spread[:, None] * triangle)
        return cls(np.asarray(mean), np.diag(spread))

    @property
    def covariance(self) -> np.ndarray:
        """Its covariance, `(d, d)`."""
        return self.scale @ self.scale.T

    def push(self, noise: np.ndarray) -> np.ndarray:
        """Return draws `(n, d)` of standard normal noise `(n, d)`."""
        return self.mean + noise @ self.scale.T

    def log_prob_of_noise(self, noise: np.ndarray) -> np.ndarray:
        """Return the log densities `(n,)` of what noise is pushed to."""
        constant = 0.5 * len(self.mean) * np.log(2 * np.pi) + np.sum(np.log(np.diag(self.scale)))
        return -0.5 * np.sum(noise**2, -1) - constant


@dataclasses.dataclass(frozen=True)
class Mode:
    """A normal approximation around a mode.

    Attributes:
        normal: the normal distribution.
        log_evidence: log of the integral of the density there, in nats, about, up to a constant of all modes.
    """

    normal: Normal
    log_evidence: float
