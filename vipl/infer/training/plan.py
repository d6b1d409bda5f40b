"""The plan of a fit whose optimiser is vipl's own: approach, settle, average.

Adam approaches at a constant rate until its iterates have come to rest, at the latest half-way. Then the rate falls,
and at the low rate the iterates are averaged until the end. The posterior is that of the average: where the iterates
are at rest, it is far nearer to the optimum than any of them.

A plan is looked at in between windows of steps, `num_steps / 40` long; it depends on the number of the step alone, and
never on time, so that a fit that is interrupted and resumed goes the same way.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.guides.coordinates import Frame
from vipl.infer.training.convergence import Window, at_rest

WINDOWS = 40
_MATRICES = 20  # coordinates, from which on it is the number of their correlations that counts
_SETTLING = 6  # windows in which the rate falls
_FEWEST = 4  # windows of approach, before it is asked whether the iterates are at rest


@dataclasses.dataclass(frozen=True)
class Rates:
    """Learning rates of Adam: in the approach, and for the average."""

    approach: float
    average: float


def rates_of(num_steps: int, frame: Frame | None) -> Rates:
    """Return the learning rates of a fit.

    The average is over some forty times the steps that its rate takes to go one unit, in a long fit and in a short one.
    Iterates of Adam jitter, by a variance in proportion to the rate, and every number that does costs a part of the
    bound. Matrices of d coordinates have d² numbers, so from twenty on the rates fall with 1 / d².

    Args:
        num_steps: the number of steps in all.
        frame: coordinates in which the posterior is about standard normal, or None.
    """
    approach = 0.03 if frame is None else 0.05
    slower = 1.0 if frame is None or np.ndim(frame.scale) < 2 else min(1.0, (_MATRICES / len(frame.center)) ** 2)
    return Rates(slower * approach, slower * min(max(40 / num_steps, 0.002), approach))


@dataclasses.dataclass
class Plan:
    """Where a fit is on its way.

    Attributes:
        num_steps: the number of steps in all.
        rates: the learning rates.
        windows: what has been seen of the iterates, oldest first.
        rested: how many windows the approach took; None while it lasts.
    """

    num_steps: int
    rates: Rates
    windows: list[Window] = dataclasses.field(default_factory=list)
    rested: int | None = None

    @property
    def averages_from(self) -> int | None:
        """The number of windows after which averaging begins, if that is known."""
        return None if self.rested is None else self.rested + _SETTLING

    def boundary(self, step: int) -> int:
        """Return the number of steps at which the plan wants to look next, more than `step`."""
        return next(end for end in self._boundaries() if end > step)

    def rate(self) -> float:
        """Return the learning rate of the coming window."""
        if self.rested is None:
            return self.rates.approach
        share = min((len(self.windows) - self.rested + 1) / _SETTLING, 1.0)
        return float(self.rates.approach * (self.rates.average / self.rates.approach) ** share)

    @property
    def halves_from(self) -> int | None:
        """The number of windows after which the second half of the average begins, if that is known."""
        return None if self.averages_from is None else (self.averages_from + WINDOWS) // 2

    def look(self, window: Window) -> None:
        """Take note of a window."""
        self.windows.append(window)
        if self.rested is None:
            late = len(self.windows) >= WINDOWS // 2
            if late or (len(self.windows) >= _FEWEST and at_rest(self.windows)):
                self.rested = len(self.windows)

    @property
    def averaged(self) -> list[Window]:
        """The windows of the average."""
        return [] if self.averages_from is None else self.windows[self.averages_from :]

    def _boundaries(self):
        return np.unique(np.ceil(np.arange(1, WINDOWS + 1) * self.num_steps / WINDOWS).astype(int)).tolist()
