"""What a fit is judged by, gathered."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from vipl.diagnostics.moments import CorrectedMoments
from vipl.diagnostics.psis import PSISResult
from vipl.diagnostics.trend import Trend
from vipl.infer.diagnosis.unvisited import Unvisited
from vipl.infer.draws.weighed import Value


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules of the verdict look at.

    Attributes:
        status: of the training.
        guide: name of the function of the guide, by which a family is known.
        psis: the smoothed weights.
        flaw: why the weights say nothing, or nothing.
        values, moments: the scalars and what importance weighting makes of them; None where that is no correction.
        square_khats: k̂ with the square of each scalar, NaN where unknown; or None like `moments`.
        trend: of the objective at the end.
        zero_term: the term that makes every weight zero, in words.
        signal: signal-to-noise ratio of the gradient at the end, or None where it was not asked for.
        restarts: the record of several runs, or None.
        unvisited: mass that the guide does not reach, or None.
    """

    status: str
    guide: str
    psis: PSISResult
    flaw: str
    values: tuple[Value, ...]
    moments: CorrectedMoments | None
    square_khats: np.ndarray | None
    trend: Trend
    zero_term: str = ""
    signal: float | None = None
    restarts: Any = None
    unvisited: Unvisited | None = None

    def each(self, of) -> np.ndarray:
        """Return `of(value)` for every scalar of every value; `(D,)`."""
        return np.repeat([of(value) for value in self.values], [value.size for value in self.values])

    def name(self, position: int) -> str:
        """Name the scalar at a position."""
        return name_of(self.values, position)


def name_of(values, position: int) -> str:
    """Name the scalar at a position of all that `values` have, one after the other."""
    for value in values:
        if position < value.size:
            return value.name(position)
        position -= value.size
    raise IndexError(position)
