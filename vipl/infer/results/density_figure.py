"""The figure of densities, one for each scalar."""

from __future__ import annotations

import numpy as np

from vipl._core.optional import optional
from vipl.infer.results.kernel import axis_of, density_of
from vipl.infer.results.style import CORRECTED, GUIDE, REFERENCE, grid, tidy


def plot_density(columns: list, weights, reference: dict, title: str):
    """Draw a density for each scalar; see `Posterior.plot_density`.

    Args:
        columns: a `Column` for each scalar.
        weights: of the draws, or None where they are no use.
        reference: other draws by the scalars' names, or exact densities as functions.
        title: above all.
    """
    optional("matplotlib.pyplot", "plot", "plot_density")
    figure, axes, columns = grid(columns, title)
    for ax, column in zip(axes, columns, strict=True):
        draw = _draw_bars if column.discrete else _draw_curves
        draw(ax, column, weights, reference.get(column.name))
        ax.set_title(column.name, fontsize=10)
        ax.set(yticks=[], ylim=(0, None))
        ax.locator_params(axis="x", nbins=5)
        tidy(ax, ("left", "right", "top"))
    labels = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return axes


def _draw_curves(ax, column, weights, reference):
    others = [reference] if isinstance(reference, np.ndarray) else []
    axis = axis_of([column.draws, *others], column.lower, column.upper)
    guide = density_of(column.draws, None, axis, column.lower, column.upper)
    ax.fill_between(axis, guide, color=GUIDE, alpha=0.35, linewidth=0)
    ax.plot(axis, guide, color=GUIDE, linewidth=1.5, label="guide")
    if weights is not None:
        corrected = density_of(column.draws, weights, axis, column.lower, column.upper)
        ax.plot(axis, corrected, color=CORRECTED, linewidth=1.3, label="corrected by weights")
    if reference is not None:
        bounds = column.lower, column.upper
        exact = reference(axis) if callable(reference) else density_of(reference, None, axis, *bounds)
        ax.plot(axis, exact, color=REFERENCE, linewidth=1.3, linestyle="--", label="reference")
    ax.set_xlim(axis[0], axis[-1])


def _draw_bars(ax, column, weights, reference):
    values = np.unique(column.draws)
    equal = np.full(len(column.draws), 1 / len(column.draws))
    shares = lambda of, w: [w[of == value].sum() for value in values]  # noqa: E731
    ax.bar(values, shares(column.draws, equal), color=GUIDE, alpha=0.45, width=0.8, label="guide")
    if weights is not None:
        ax.plot(values, shares(column.draws, weights), "_", color=CORRECTED, ms=14, mew=2, label="corrected by weights")
    if isinstance(reference, np.ndarray):
        share = np.full(len(reference), 1 / len(reference))
        ax.plot(values, shares(reference, share), "o", color=REFERENCE, ms=4, label="reference")
