"""Kernel density estimates of draws, reflected at the bounds of their support."""

from __future__ import annotations

import numpy as np

_POINTS = 256


def density_of(draws: np.ndarray, weights: np.ndarray | None, axis: np.ndarray, lower: float, upper: float):
    """Return an estimate of a density at `axis`, zero outside of the bounds.

    The bandwidth is Silverman's, of as many draws as the weights are worth.

    Args:
        draws: `(n,)`.
        weights: of the draws, which sum to 1, `(n,)`; None where they are equal.
        axis: `(m,)`, equally spaced.
        lower: where the support begins, or -inf.
        upper: where it ends, or inf.

    >>> axis = np.linspace(-4, 4, 81)
    >>> found = density_of(np.random.default_rng(0).standard_normal(5000), None, axis, -np.inf, np.inf)
    >>> bool(abs(found[40] - 0.399) < 0.04)
    True
    """
    weights = np.full(len(draws), 1 / len(draws)) if weights is None else weights
    mean = weights @ draws
    low, high = weighted_quantiles(draws, weights, [0.25, 0.75])
    spread = min(np.sqrt(weights @ (draws - mean) ** 2), (high - low) / 1.34) or np.ptp(axis) / 50
    width = 0.9 * spread * np.sum(weights**2) ** 0.2
    step = axis[1] - axis[0]
    reach = int(min(np.ceil(4 * width / step), len(axis)))
    kernel = np.exp(-0.5 * (step * np.arange(-reach, reach + 1) / max(width, step / 2)) ** 2)
    edges = axis[0] + step * (np.arange(-reach, len(axis) + reach + 1) - 0.5)
    mirrored = [draws, *(2 * bound - draws for bound in (lower, upper) if np.isfinite(bound))]
    counted = np.sum([np.histogram(x, edges, weights=weights)[0] for x in mirrored], axis=0)
    smooth = np.convolve(counted, kernel / kernel.sum(), mode="valid") / step
    return np.where((axis >= lower) & (axis <= upper), smooth, 0.0)


def axis_of(several: list[np.ndarray], lower: float, upper: float) -> np.ndarray:
    """Return where to draw the densities of several sets of draws: all of each but the outermost tails."""
    low = min(np.quantile(draws, 0.002) for draws in several)
    high = max(np.quantile(draws, 0.998) for draws in several)
    margin = 0.08 * (high - low) or 0.5
    return np.linspace(max(low - margin, lower), min(high + margin, upper), _POINTS)


def weighted_quantiles(draws, weights, levels) -> np.ndarray:
    """Return quantiles of weighted draws.

    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.2, 0.6]), [0.5])
    array([2.])
    """
    order = np.argsort(draws)
    ends = np.cumsum(weights[order])
    return draws[order][np.minimum(np.searchsorted(ends, np.asarray(levels) * ends[-1]), len(draws) - 1)]
