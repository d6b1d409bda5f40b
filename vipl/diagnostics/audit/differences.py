"""Central differences of an expectation with common random numbers: a derivative that no jump escapes.

The value is unbiased whatever becomes of its derivative, so its differences are too, up to the fourth order of the
step (Richardson's extrapolation of two steps). They are compared with the gradient in the same draws; where the
objective is smooth the two then agree draw by draw, and even a small bias shows. Steps over which the gradient of a
draw changes much are shortened, and a bias has to show at a shorter step as well.
"""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from vipl.diagnostics.audit.bias import ALARM, COARSE, MORE, needed
from vipl.diagnostics.audit.comparison import POWER, SUSPICIOUS, length_beyond_noise, p_value, quantile
from vipl.diagnostics.audit.draws import HEAVY, NUM_CHUNKS
from vipl.diagnostics.audit.report import Bias
from vipl.diagnostics.audit.slopes import NUM_DIRECTIONS, Slopes, choose_steps, measure_slopes, random_directions
from vipl.diagnostics.audit.variant import Variant

NAME = "central differences"
_SHORTER = 1 / 8
_AGREES = 0.01  # p-value at the shorter step, which is noisier
_LEAST = 0.207  # chi-square with four degrees of freedom is less once in 200


def judge_by_differences(variant: Variant, leaves, others, key, size: int) -> Bias:
    """Return whether the mean gradient of an expectation is the derivative of its mean value.

    Args:
        variant: what is estimated.
        leaves: the differentiated leaves.
        others: the other arrays.
        key: a key.
        size: draws in a run.
    """
    key_directions, key_steps, key_first, key_second = jax.random.split(key, 4)
    directions = random_directions(key_directions, leaves)
    steps = choose_steps(variant, leaves, others, directions, key_steps, size)
    found = measure_slopes(variant, leaves, others, directions, steps, key_first, size)
    bias = Bias("none", NAME, num_draws=NUM_CHUNKS * size)
    if _unfit(found):
        return dataclasses.replace(bias, verdict="not trustworthy", remark=_unfit(found))
    threshold = quantile(SUSPICIOUS / len(steps), NUM_CHUNKS)
    visible, length = _lengths(found, threshold, sum(np.size(leaf) for leaf in leaves))
    resolution = visible / length if length else float("inf")
    bias = dataclasses.replace(bias, resolution=resolution)
    worst = int(np.abs(found.scores).argmax())
    if abs(found.scores[worst]) > threshold:
        again = lambda steps: measure_slopes(variant, leaves, others, directions, steps, key_second, size, MORE)  # noqa: E731
        more, shorter = again(steps), again(_SHORTER * steps)
        if _unfit(more):
            return dataclasses.replace(bias, verdict="not trustworthy", resolution=None, remark=_unfit(more))
        z, z_shorter = float(more.scores[worst]), float(shorter.scores[worst])
        bias = dataclasses.replace(bias, num_draws=NUM_CHUNKS * size * MORE, z=z)
        if p_value(z, NUM_CHUNKS) < ALARM:
            if z * z_shorter > 0 and p_value(z_shorter, NUM_CHUNKS) < _AGREES:
                excess = np.linalg.norm(more.excess.mean(axis=0))
                truth = np.linalg.norm((more.gradient - more.excess).mean(axis=0))
                return dataclasses.replace(bias, verdict="biased", relative_size=float(excess / max(truth, 1e-300)))
            remark = "differences disagree with the gradient, but not surely at shorter steps"
            return dataclasses.replace(bias, verdict="not shown", remark=remark)
    if resolution > COARSE:
        return dataclasses.replace(bias, verdict="not shown", remark=needed(resolution, NUM_CHUNKS * size))
    return bias


def _lengths(found: Slopes, threshold: float, dimension: int) -> tuple[float, float]:
    """Return the shortest bias that would have been seen, and the length of the gradient.

    In many dimensions both are seen by their shadows on a few random directions; a bias hides from all of these once
    in 200.
    """
    visible = float(np.linalg.norm((threshold + POWER) * found.errors + found.allowance))
    length = length_beyond_noise(found.gradient)
    if dimension <= NUM_DIRECTIONS:
        return visible, length
    return visible * np.sqrt(dimension / _LEAST), length * np.sqrt(dimension / NUM_DIRECTIONS)


def _unfit(slopes: Slopes) -> str:
    if not np.isfinite(slopes.excess).all():
        return "central differences left the domain of some parameter, or are not finite"
    if slopes.largest_share > HEAVY:
        return f"heavy tail: one central difference carries {slopes.largest_share:.0%} of the squares"
    return ""
