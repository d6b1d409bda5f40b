"""What vipl's figures have in common."""

from __future__ import annotations

GUIDE, CORRECTED, REFERENCE = "#3b6fb6", "#d1672a", "#222222"  # colours


def tidy(ax, hidden) -> None:
    """Leave out sides of the frame of an Axes, and set small labels."""
    ax.tick_params(labelsize=9)
    for side in hidden:
        ax.spines[side].set_visible(False)
