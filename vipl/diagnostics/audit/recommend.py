"""Which estimator gives the least variance in the same time, among those whose gradient is right."""

from __future__ import annotations

import math

from vipl.diagnostics.audit.draws import HEAVY, Draws
from vipl.diagnostics.audit.report import Alternative, Bias

MARGIN = 1.2  # a change must be worth it


def efficiency(present: Draws, other: Draws) -> float:
    """Return variance times seconds of the present estimator over that of another one."""
    ours, theirs = present.variance, other.variance
    if theirs == 0:
        ratio = 1.0 if ours == 0 else math.inf
    else:
        ratio = ours / theirs
    return ratio * present.seconds_per_gradient / max(other.seconds_per_gradient, 1e-12)


def best(bias: Bias, alternatives: list[Alternative]) -> Alternative | None:
    """Return the alternative to recommend, or None to keep the present estimator.

    Args:
        bias: of the present estimator; where it is biased, any right alternative is better.
        alternatives: the others.
    """
    right = [a for a in alternatives if _is_right(a)]
    if not right:
        return None
    found = max(right, key=_gain)
    return found if bias.verdict == "biased" or _gain(found)[0] >= MARGIN else None


def _gain(alternative: Alternative) -> tuple[float, float]:
    """Return the efficiency of an alternative that serves; of two alike, the faster one is better."""
    assert alternative.efficiency is not None
    assert alternative.seconds is not None
    return alternative.efficiency, -alternative.seconds


def _is_right(alternative: Alternative) -> bool:
    if alternative.largest_share is None or alternative.largest_share > HEAVY:  # refused, or not to be judged
        return False
    if alternative.bias is None:
        return True
    good = ("none",) if alternative.suspicion else ("none", "not shown")
    return alternative.bias.verdict in good
