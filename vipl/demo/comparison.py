"""A fit beside its reference posterior, in units of the reference's standard deviations.

>>> import numpy as np
>>> row = compare(np.array([0.5, 1.5]), {"mean": 0.0, "sd": 2.0})
>>> row.difference
0.5
"""

from __future__ import annotations

import dataclasses
import types

import numpy as np

import vipl

# A fit is called right within these bounds: means in standard deviations of the reference, spreads as ratios
# to the reference's.
MEANS_WITHIN = 0.25
SPREADS_WITHIN = (0.8, 1.25)


@dataclasses.dataclass(frozen=True)
class Row:
    """Mean and standard deviation of one parameter, from vipl's draws and from the reference."""

    mean: float
    sd: float
    reference_mean: float
    reference_sd: float

    @property
    def difference(self) -> float:
        """Difference of the means, in standard deviations of the reference."""
        return (self.mean - self.reference_mean) / self.reference_sd

    @property
    def spread(self) -> float:
        """Ratio of the standard deviations."""
        return self.sd / self.reference_sd


def compare(draws: np.ndarray, reference: dict) -> Row:
    """Return the row of one parameter; `draws`: `(num_draws,)`."""
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    return Row(mean, sd, float(reference["mean"]), float(reference["sd"]))


def by_element(draws: dict) -> dict:
    """Return draws of scalars: an array `theta`, `(num_draws, 2)`, becomes `theta[0]` and `theta[1]`."""
    flat = {}
    for name, values in draws.items():
        values = np.asarray(values, dtype=float)
        for index in np.ndindex(values.shape[1:]):
            suffix = f"[{', '.join(map(str, index))}]" if index else ""
            flat[name + suffix] = values[(slice(None), *index)]
    return flat


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One of the demo's models, fitted.

    Attributes:
        model: its module, such as `vipl.demo.radon`.
        posterior: the fit.
        draws: `{parameter: (num_draws,)}`, of every scalar parameter that the reference has.
        reference: `{parameter: {"mean": …, "sd": …, "q05": …, "q50": …, "q95": …}}`.
        seconds: how long the fit took, compilation included.
    """

    model: types.ModuleType
    posterior: vipl.Posterior
    draws: dict
    reference: dict
    seconds: float

    @property
    def rows(self) -> dict[str, Row]:
        """One row for each parameter."""
        return {name: compare(self.draws[name], self.reference[name]) for name in self.reference}

    @property
    def worst(self) -> str:
        """The parameter whose mean is furthest from the reference's."""
        rows = self.rows
        return max(rows, key=lambda name: abs(rows[name].difference))

    @property
    def spreads(self) -> tuple[float, float]:
        """The least and the largest ratio of standard deviations."""
        spreads = [row.spread for row in self.rows.values()]
        return min(spreads), max(spreads)
