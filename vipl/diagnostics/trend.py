"""The trend of an objective at the end of training: level, still rising, or falling.

>>> import numpy as np
>>> noise = np.random.default_rng(0).standard_normal(5000)
>>> trend(noise).word, trend(noise + 0.01 * np.arange(5000)).word
('level', 'still rising')
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

_LAST = 0.2  # the share of training that is looked at
_BLOCKS = 20
_SURE = 4.0  # standard errors
_MATTERS = 0.1  # nats over the stretch: the eighth part of a standard deviation, in a normal approximation


@dataclasses.dataclass(frozen=True)
class Trend:
    """How an objective moved over the last steps.

    Attributes:
        slope: nats per 1000 steps.
        slope_se: its standard error.
        num_steps: how many steps it is taken from.
        word: "level"; "still rising" or "falling", if the slope is more than four standard errors from zero and
            moved the objective by over 0.1 nats in this stretch; "too short" for a history under 100 steps.
    """

    slope: float
    slope_se: float
    num_steps: int
    word: str

    def __str__(self):
        if self.word == "too short":
            return self.word
        slope = f"{self.slope:+.2g} ± {self.slope_se:.1g} nats per 1000 steps"
        return f"{self.word}, {slope} over the last {self.num_steps}"


def trend(history) -> Trend:
    """Judge the last fifth of a history of the objective by the means of 20 blocks of steps.

    A line is fitted to the means. Steps of a run depend on each other, the means of long blocks hardly do, so the
    residuals of the line give an honest standard error of the slope. Steps that are not finite are left out.

    Args:
        history: the objective at each step, in nats; `(num_steps,)`.

    Source: batch means, Flegal and Jones 2010, Ann. Statist. 38(2):1034.
    """
    history = np.asarray(history, np.float64)
    history = history[np.isfinite(history)]
    length = int(_LAST * len(history)) // _BLOCKS
    if length < 1:
        return Trend(math.nan, math.nan, len(history), "too short")
    means = history[-length * _BLOCKS :].reshape(_BLOCKS, length).mean(axis=1)
    steps = length * (np.arange(_BLOCKS) - (_BLOCKS - 1) / 2)
    slope = steps @ means / (steps @ steps)
    residuals = means - means.mean() - slope * steps
    error = math.sqrt(residuals @ residuals / (_BLOCKS - 2) / (steps @ steps))
    moved = abs(slope) > _SURE * error and abs(slope) * length * _BLOCKS > _MATTERS
    word = "level" if not moved else "still rising" if slope > 0 else "falling"
    return Trend(1000 * slope, 1000 * error, length * _BLOCKS, word)
