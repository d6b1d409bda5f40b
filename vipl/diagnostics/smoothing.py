"""The upper tail of importance weights: where it begins, its law, and the smoothed weights that follow from it."""

from __future__ import annotations

import math

import numpy as np

from vipl.diagnostics.generalised_pareto import fit, fits, quantile

# Below 21 draws the tail, a fifth of them, has fewer than five: too few for a fit.
_MIN_TAIL = 5
MIN_DRAWS = 21

# Log-weights this close (nats) are called equal. Differences of float32 log densities round to about 1e-7
# of their size.
_EQUAL = 0.01
_SHORTEST = 25  # weights, of a tail that is cut short
_NEARLY_EXACT = 0.5  # of the draws' number, is what the weights of a guide are worth that is nearly exact in its bulk


def smooth(shifted: np.ndarray) -> tuple[np.ndarray, float]:
    """Smooth log-weights whose largest is 0 and return them with k̂."""
    num_draws = shifted.size
    tail_size = math.ceil(min(num_draws / 5, 3 * math.sqrt(num_draws)))
    order = np.argsort(shifted, kind="stable")
    top = shifted[order[-max(tail_size, _MIN_TAIL) :]]
    positive = top[top > -np.inf]
    if shifted.min() >= -_EQUAL or (positive.size >= _MIN_TAIL and positive[0] >= -_EQUAL):
        return shifted, 0.0
    if num_draws < MIN_DRAWS or positive.size < _MIN_TAIL:
        return shifted, math.inf

    # Weights that underflow count as zero, else the excesses below would lose all their digits.
    log_cutoff = max(shifted[order[-tail_size - 1]], math.log(np.finfo(np.float64).tiny))
    tail = order[shifted[order] > log_cutoff]
    if np.count_nonzero(shifted[tail] <= log_cutoff + _EQUAL) > tail_size / 2:  # a plateau, and the tail beyond it
        log_cutoff += _EQUAL
        tail = order[shifted[order] > log_cutoff]
    if tail.size < _MIN_TAIL:
        return shifted, float(abs(log_cutoff) / (math.log(tail_size) + np.euler_gamma))
    size, cutoff, shape, scale = _law(np.exp(shifted[tail]), math.exp(log_cutoff), _is_nearly_exact(shifted))
    smoothed = shifted.copy()
    levels = (np.arange(size) + 0.5) / size
    smoothed[tail[-size:]] = np.minimum(np.log(cutoff + quantile(levels, shape, scale)), 0.0)
    return smoothed, shape


def _is_nearly_exact(shifted) -> bool:
    weights = np.exp(shifted)
    return weights.sum() ** 2 >= _NEARLY_EXACT * weights.size * (weights**2).sum()


def _law(weights, cutoff, may_shorten) -> tuple[int, float, float, float]:
    """Fit the law of ascending weights above a cutoff; returns how many are its, the cutoff, shape and scale.

    Of a mixture, a bulk's end and few weights beyond, the law is of those beyond.
    """
    first = size, cutoff, shape, scale = weights.size, cutoff, *fit(weights - cutoff)
    while may_shorten and not fits(weights[-size:] - cutoff, shape, scale):
        half, above = size // 2, weights[-(size // 2) - 1]
        if half < _SHORTEST or weights[-half] == above:  # too few, or no excess
            return first
        size, cutoff = half, above
        shape, scale = fit(weights[-size:] - cutoff)
    return size, cutoff, shape, scale
