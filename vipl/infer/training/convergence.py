"""Whether the iterates of a fit have come to rest, told from what was seen of them in windows of steps.

Source: Dhaka et al. 2020, arXiv 2009.00666, and Welandawe et al. 2022, arXiv 2203.15945: the iterates of stochastic
optimisation at a constant rate are a Markov chain, and are judged as one.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Window:
    """Moments of the tracked numbers among the parameters in a window of steps.

    Attributes:
        mean: `(n,)`.
        variance: `(n,)`.
        steps: how many steps it had.
    """

    mean: np.ndarray
    variance: np.ndarray
    steps: int


@dataclasses.dataclass(frozen=True)
class Rest:
    """How much the tracked numbers still move.

    Attributes:
        rhat: split R-hat of the iterates, the largest.
        drift: difference of the means of the later half of the windows and the earlier, the largest, in the units of
            the parameters.
        error: Monte Carlo standard error of the mean of all windows, the largest.
    """

    rhat: float
    drift: float
    error: float


def rest_of(windows: list[Window]) -> Rest:
    """Return how much the tracked numbers move, by at least two windows."""
    means = np.stack([window.mean for window in windows])
    if means.shape[1] == 0:
        return Rest(1.0, 0.0, 0.0)
    within = np.mean([window.variance for window in windows], 0)
    half = len(windows) // 2
    early, late = means[:half], means[-half:]
    between = np.abs(late.mean(0) - early.mean(0))
    total = within + np.mean([early.var(0), late.var(0)], 0)
    apart = np.where(between > 0, np.inf, 0.0)  # of numbers without any spread
    apart = np.divide(between**2, 2 * total, out=apart, where=total > 0)
    return Rest(
        float(np.max(np.sqrt(1 + apart))),
        float(np.max(between)),
        float(np.max(_error_of_mean(means))),
    )


def at_rest(windows: list[Window]) -> bool:
    """Return whether the later half of the windows shows no drift."""
    later = windows[len(windows) // 2 :]
    return len(later) >= 2 and rest_of(later).rhat < 1.1


def _error_of_mean(means):
    """Return the standard error of the mean of rows, by their spread; of one row, zero."""
    return means.std(0, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.zeros(means.shape[1])
