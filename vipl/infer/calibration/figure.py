"""The figure of ranks, one panel for each scalar."""

from __future__ import annotations

import numpy as np

from vipl._core.errors import AddressError, ParameterError, did_you_mean
from vipl._core.optional import optional
from vipl._core.source import user_source
from vipl.diagnostics.uniformity import ecdf_band, points_of
from vipl.infer.results.style import CORRECTED, GUIDE, REFERENCE, grid, tidy

_BINS = 20


def plot_ranks(calibration, names, kind: str):
    """Draw the ranks of a `Calibration`; see its `plot`."""
    optional("matplotlib.pyplot", "plot", "plot")
    if kind not in ("ecdf", "rank"):
        raise ParameterError(f"kind is {kind!r}.", where=user_source(), fix='kind="ecdf" or kind="rank"')
    chosen = _chosen(calibration, names)
    figure, axes, chosen = grid(chosen, calibration._title().split(";")[0])
    for ax, name in zip(axes, chosen, strict=True):
        color = CORRECTED if name in calibration.failures else GUIDE
        draw = _draw_ecdf if kind == "ecdf" else _draw_counts
        draw(ax, calibration.columns[name], calibration, color)
        ax.set_title(name, fontsize=10)
        ax.set_xlim(0, calibration.num_draws + 1)
        tidy(ax, ("right", "top"))
    figure.supxlabel("rank", fontsize=10)
    label = "ECDF minus uniform" if kind == "ecdf" else "count"
    figure.supylabel(label, fontsize=10)
    return axes


def _draw_ecdf(ax, ranks, calibration, color):
    points = points_of(calibration.num_draws)
    uniform = points / (calibration.num_draws + 1)
    low, high = ecdf_band(len(ranks), calibration.num_draws, calibration.alpha / len(calibration.columns))
    counts = np.searchsorted(np.sort(ranks), points, side="left")
    ax.fill_between(
        points, low / len(ranks) - uniform, high / len(ranks) - uniform, color=REFERENCE, alpha=0.12, linewidth=0
    )
    ax.axhline(0.0, color=REFERENCE, linewidth=0.8)
    ax.plot(points, counts / len(ranks) - uniform, color=color, linewidth=1.6)


def _draw_counts(ax, ranks, calibration, color):
    from scipy.stats import binom

    values = calibration.num_draws + 1
    edges = np.linspace(0, values, min(_BINS, values) + 1).round()
    shares = np.diff(edges) / values
    low, high = binom.interval(0.99, len(ranks), shares)
    counts, _ = np.histogram(ranks, edges)
    ax.stairs(high, edges, baseline=low, fill=True, color=REFERENCE, alpha=0.12)
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=color, alpha=0.6, edgecolor="white", linewidth=0.5)


def _chosen(calibration, names) -> list[str]:
    columns = calibration.columns
    names = [names] if isinstance(names, str) else list(calibration.ranks if names is None else names)
    for name in names:
        if name not in columns and name not in calibration.ranks:
            raise AddressError(
                f"there are no ranks of {name!r}." + did_you_mean(str(name), calibration.ranks),
                where=user_source(),
                fix="addresses, or names of scalars such as 'theta[0]'",
            )
    return [full for name in names for full in columns if name in (full, full.rpartition("[")[0])]
