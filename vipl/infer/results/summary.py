"""Tables of posterior draws."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vipl._core.hosts import gathered
from vipl.diagnostics import tables

_ROWS = 60  # that are shown; the mapping has all


class Summary(Mapping):
    """Mean, standard deviation and quantiles of every scalar value; printing it shows a table.

    A mapping `{name: {"mean": …, "sd": …, "q05": …, "q50": …, "q95": …}}`. Elements of arrays are named
    `theta[0]`, `theta[1]`, ….

    Example:
        >>> import numpy as np
        >>> from vipl.infer.results.summary import summarise
        >>> float(summarise({"x": np.array([1.0, 2.0, 3.0])})["x"]["mean"])
        2.0
    """

    columns = ("mean", "sd", "q05", "q50", "q95")

    def __init__(self, rows: dict):
        self._rows = rows

    def __getitem__(self, name):
        return self._rows[name]

    def __iter__(self):
        return iter(self._rows)

    def __len__(self):
        return len(self._rows)

    def _cells(self):
        names = list(self._rows)[:_ROWS]
        return [[name, *(f"{self._rows[name][column]:.3f}" for column in self.columns)] for name in names]

    def _more(self) -> str:
        return f"… and {len(self) - _ROWS} more" if len(self) > _ROWS else ""

    def __repr__(self):
        table = tables.as_text(("", *self.columns), self._cells())
        return table + (f"\n{self._more()}" if self._more() else "")

    def _repr_html_(self):
        return tables.as_html(("", *self.columns), self._cells()) + (f"<p>{self._more()}</p>" if self._more() else "")


def summarise(draws: dict) -> Summary:
    """Return the Summary of draws: `{address: array}` with a leading axis of draws."""
    rows = {}
    for address, values in draws.items():
        values = np.asarray(gathered(values), dtype=float)
        for index in np.ndindex(values.shape[1:]):
            name = address + (f"[{', '.join(map(str, index))}]" if index else "")
            column = values[(slice(None), *index)]
            q05, q50, q95 = np.quantile(column, [0.05, 0.5, 0.95])
            rows[name] = {"mean": column.mean(), "sd": column.std(ddof=1), "q05": q05, "q50": q50, "q95": q95}
    return Summary(rows)
