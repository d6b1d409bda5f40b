"""What is found of a cell, and what it is held against."""

from __future__ import annotations

import dataclasses

import numpy as np

RIGHT, REFUSED, NOT_SHOWN, WRONG = "right", "refused", "not shown", "wrong"
BATCH = 2**12
MOST_DRAWS = 2**24
RELATIVE = 1e-10


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        word: "right", "refused", "not shown" or "wrong".
        detail: what was measured; of a refusal the name of the error.
        message: what the error said.
    """

    word: str
    detail: str = ""
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Question:
    """What an estimator is held against.

    Attributes:
        exact: its exact mean, a vector.
        resolution: the bias that must be seen, likewise.
        labels: what the elements are called.
        batch: how many draws to take at once.
        most_draws: after how many to give up; ten times as many where a first look was in doubt.
    """

    exact: np.ndarray
    resolution: np.ndarray
    labels: tuple[str, ...]
    batch: int = BATCH
    most_draws: int = MOST_DRAWS

    @property
    def slack(self):
        """What rounding may do."""
        return RELATIVE * (np.abs(self.exact) + np.abs(self.exact).max())

    def differences(self, found, which, apart=None) -> str:
        """Say where a mean is off, of the first three elements."""
        parts = []
        for i in np.flatnonzero(which):
            distance = "without variance" if apart is None else f"apart by {apart[i]:.1f} SE"
            parts.append(f"{self.labels[i]}: mean {found[i]:.5g}, exact {self.exact[i]:.5g}, {distance}")
        more = f"; and {len(parts) - 3} more" if len(parts) > 3 else ""
        return "; ".join(parts[:3]) + more

    def too_coarse(self, error, count) -> str:
        """Say how far the standard errors are from the resolution."""
        worst = np.argmax(error / self.resolution)
        sizes = f"4.5 SE are {4.5 * error[worst]:.3g}, above {self.resolution[worst]:.3g}"
        return f"{self.labels[worst]}: {sizes}, after {count} draws"
