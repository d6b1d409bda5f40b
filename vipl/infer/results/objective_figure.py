"""The figure of an objective over the steps of training."""

from __future__ import annotations

import numpy as np

from vipl._core.optional import optional
from vipl.infer.results.style import GUIDE, tidy


def plot_objective(history, title: str, ax=None):
    """Draw the objective of each step, and its running mean; see `Posterior.plot_objective`."""
    pyplot = optional("matplotlib.pyplot", "plot", "plot_objective")
    ax = pyplot.subplots(figsize=(7.0, 3.6), layout="constrained")[1] if ax is None else ax
    history = np.asarray(history, float)
    steps = np.arange(1, len(history) + 1)
    window = max(len(history) // 100, 1)
    smooth = _running_mean(history, window)
    ax.plot(steps, history, color=GUIDE, alpha=0.3, linewidth=0.6, label="each step")
    ax.plot(steps, smooth, color=GUIDE, linewidth=1.8, label=f"mean of {window} steps")
    finite = history[np.isfinite(history)]
    if finite.size > 10:
        late, settled = finite[len(finite) // 2 :], smooth[np.isfinite(smooth)][len(finite) // 20 :]
        low, high = np.quantile(late, [0.01, 0.99])
        low, high = min(low, settled.min()), max(high, settled.max())
        margin = 0.06 * (high - low) or 1.0
        ax.set_ylim(low - margin, high + margin)
    ax.set(xlabel="step", ylabel="objective (nats)", xlim=(0, max(len(history), 1)))
    ax.set_title(title, loc="left", fontsize=11)
    ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=9, borderaxespad=0.2)
    tidy(ax, ("right", "top"))
    return ax


def _running_mean(values, window):
    """Return means of so many values around each, fewer at the ends, of those that are finite."""
    finite = np.isfinite(values)
    totals, counts = (np.append(0.0, np.cumsum(x)) for x in (np.where(finite, values, 0.0), finite))
    ends = np.minimum(np.arange(len(values)) + (window + 1) // 2, len(values))
    begins = np.maximum(np.arange(len(values)) - window // 2, 0)
    count = counts[ends] - counts[begins]
    return np.where(count > 0, (totals[ends] - totals[begins]) / np.maximum(count, 1), np.nan)
