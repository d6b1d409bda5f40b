"""`Calibration`: ranks of what data came from among draws of the fits, and whether they are uniform."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from vipl.diagnostics import tables
from vipl.diagnostics.uniformity import chi_square_p_value, ecdf_p_value

_ROWS = 40
_LEAST = 1e-12  # p-values under it are rounding
_COLUMNS = ("", "mean rank", "spread", "ECDF p", "chi² p", "")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """What `vipl.sbc` found. Printing it shows a table, the worst values first.

    Attributes:
        name: of the model.
        ranks: of the latent values by address, `(num_simulations, …)`, integers from 0 to `num_draws`.
        num_draws: the largest rank.
        alpha: the level of all tests together: each of D values has two, so each test is held against `alpha / (2 D)`
            (Bonferroni).
    """

    name: str
    ranks: dict
    num_draws: int
    alpha: float

    @functools.cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """Ranks of each scalar, by its name, `(num_simulations,)`."""
        return {
            address + (f"[{', '.join(map(str, index))}]" if index else ""): ranks[(slice(None), *index)]
            for address, ranks in self.ranks.items()
            for index in np.ndindex(ranks.shape[1:])
        }

    @functools.cached_property
    def p_values(self) -> dict[str, dict[str, float]]:
        """Of each scalar, by its name, the p-values of two tests of uniform ranks.

        `"ecdf"`: the empirical distribution function at 100 points together (Säilynoja et al. 2022); `"chi_square"`:
        counts in up to 20 bins.
        """
        return {
            name: {
                "ecdf": ecdf_p_value(ranks, self.num_draws),
                "chi_square": chi_square_p_value(ranks, self.num_draws),
            }
            for name, ranks in self.columns.items()
        }

    @property
    def level(self) -> float:
        """The p-value under which a single test fails."""
        return self.alpha / (2 * max(len(self.columns), 1))

    @property
    def failures(self) -> list[str]:
        """Names of the scalars whose ranks are not uniform."""
        return [name for name, found in self.p_values.items() if min(found.values()) < self.level]

    @property
    def passed(self) -> bool:
        """Whether all ranks pass for uniform; with right fits this is so but once in `1 / alpha` times."""
        return not self.failures

    def plot(self, names=None, kind: str = "ecdf"):
        """Draw the ranks: see whether, and how, they are not uniform.

        Args:
            names: addresses, or names of scalars; default: all, of which 24 are drawn.
            kind: "ecdf", the distribution function of the ranks minus that of uniform ones, in a band that uniform
                ranks stay in together with probability `1 - alpha / D`; or "rank", counts in bins.

        Returns:
            An array of matplotlib Axes, one for each scalar.

        Raises:
            MissingPackageError: matplotlib is not installed.
            AddressError: there is no such value.
            ParameterError: there is no such kind.
        """
        from vipl.infer.calibration.figure import plot_ranks

        return plot_ranks(self, names, kind)

    def moments(self, name: str) -> tuple[float, float]:
        """Return mean and variance of the ranks of a scalar, relative to uniform ones: (0.5, 1) if these are right."""
        ranks = self.columns[name]
        count = self.num_draws + 1
        return float(np.mean(ranks) / self.num_draws), float(np.var(ranks) / ((count**2 - 1) / 12))

    def _words(self, name) -> str:
        """Say what the ranks of a scalar look like, if they are not uniform."""
        if name not in self.failures:
            return ""
        mean, variance = self.moments(name)
        error = np.sqrt(1 / 12 / len(self.columns[name]))
        words = [f"posterior too {'low' if mean > 0.5 else 'high'}"] * bool(abs(mean - 0.5) > 3 * error)
        if abs(variance - 1) > 0.15:
            words.append(f"too {'narrow' if variance > 1 else 'wide'}")
        return ", ".join(words) or "not uniform"

    def _rows(self) -> list[list[str]]:
        worst = sorted(self.p_values, key=lambda name: min(self.p_values[name].values()))[:_ROWS]
        return [
            [
                name,
                f"{self.moments(name)[0]:.3f}",
                f"{self.moments(name)[1]:.2f}",
                *(f"{p:.2g}" if p > _LEAST else f"< {_LEAST:g}" for p in self.p_values[name].values()),
                self._words(name),
            ]
            for name in worst
        ]

    def _title(self) -> str:
        count = len(next(iter(self.columns.values()), []))
        return (
            f"Calibration of {self.name}: {'passed' if self.passed else 'failed'}; {count} simulations, ranks 0 to "
            f"{self.num_draws}; a test fails under p = {self.level:.2g}"
        )

    def __repr__(self):
        return f"{self._title()}\n{tables.as_text(_COLUMNS, self._rows())}"

    def _repr_html_(self):
        return tables.titled(self._title(), tables.as_html(_COLUMNS, self._rows()))
