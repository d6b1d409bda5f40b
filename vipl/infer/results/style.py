"""What vipl's figures have in common."""

from __future__ import annotations

from vipl._core.optional import optional

GUIDE, CORRECTED, REFERENCE = "#3b6fb6", "#d1672a", "#222222"  # colours
_PANELS = 24  # as many as can be told apart on a page


def grid(panels: list, title: str):
    """Return a new figure, an Axes for each of the panels, and those of the panels that there is room for."""
    pyplot = optional("matplotlib.pyplot", "plot", "the figure")
    left_out, panels = max(len(panels) - _PANELS, 0), panels[:_PANELS]
    wide = 3 if len(panels) == 9 else max(min(len(panels), 4), 1)
    high = max(-(-len(panels) // wide), 1)
    size = (2.9 * wide + 0.4, 2.3 * high + 0.7)
    figure, axes = pyplot.subplots(high, wide, figsize=size, layout="constrained", squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    more = f", the first {_PANELS} of {_PANELS + left_out}" if left_out else ""
    figure.suptitle(title + more, x=0.01, ha="left", fontsize=11)
    return figure, axes.ravel()[: len(panels)], panels


def tidy(ax, hidden) -> None:
    """Leave out sides of the frame of an Axes, and set small labels."""
    ax.tick_params(labelsize=9)
    for side in hidden:
        ax.spines[side].set_visible(False)
