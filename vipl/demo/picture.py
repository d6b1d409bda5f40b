"""The demo's picture: densities of vipl's draws over the reference, a few parameters of each model."""

from __future__ import annotations

import numpy as np

from vipl.demo.comparison import Comparison

_VIPL, _REFERENCE = "#3b6fb6", "#222222"
_PANELS = 5


def save_picture(comparisons: list[Comparison], path: str) -> None:
    """Save the picture, 1600 pixels wide. Needs matplotlib, and no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 2.95 * len(comparisons) + 0.6), dpi=100)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(comparisons), _PANELS, left=0.118, right=0.985, top=0.935, bottom=0.045, hspace=0.42, wspace=0.16
    )
    for i, comparison in enumerate(comparisons):
        panels = [figure.add_subplot(grid[i, j]) for j in range(len(comparison.model.DRAWN))]
        for panel, name in zip(panels, comparison.model.DRAWN, strict=True):
            _draw_panel(panel, name, comparison)
        if hasattr(comparison.model, "quadrature"):
            _draw_plane(figure.add_subplot(grid[i, len(panels)]), comparison)
        _label_row(figure, panels[0], comparison)
    _legend(figure)
    figure.savefig(path)


def _draw_panel(panel, name, comparison):
    draws, reference = comparison.draws[name], comparison.reference[name]
    axis = _axis(draws, reference)
    density = _smooth(draws, axis)
    panel.fill_between(axis, density, color=_VIPL, alpha=0.35, linewidth=0)
    panel.plot(axis, density, color=_VIPL, linewidth=1.5)
    exact = _reference_density(reference, axis)
    if exact is not None:
        panel.plot(axis, exact, color=_REFERENCE, linewidth=1.5, linestyle="--")
    top = max(density.max(), 0 if exact is None else exact.max())
    _interval(panel, -0.10 * top, np.quantile(draws, [0.05, 0.5, 0.95]), _VIPL)
    _interval(panel, -0.22 * top, [reference[q] for q in ("q05", "q50", "q95")], _REFERENCE)
    panel.set(xlim=(axis[0], axis[-1]), ylim=(-0.32 * top, 1.08 * top), yticks=[])
    panel.set_title(name, fontsize=12, pad=4)
    _tidy(panel)


def _axis(draws, reference):
    """Return where to evaluate densities: all of both but the outermost tails, positive if both are."""
    low, high = np.quantile(draws, [0.002, 0.998])
    step = max(reference["q50"] - reference["q05"], reference["q95"] - reference["q50"])
    low, high = min(low, reference["q50"] - 1.7 * step), max(high, reference["q50"] + 1.7 * step)
    if draws.min() > 0 and reference["q05"] > 0:
        low = max(low, 0.0)
    return np.linspace(low, high, 400)


def _smooth(draws, axis):
    """Return a kernel density estimate, reflected at zero where positive draws come near it."""
    spread = min(draws.std(), np.subtract(*np.quantile(draws, [0.75, 0.25])) / 1.34)
    width = 1.06 * spread * len(draws) ** -0.2
    density = _kernel(axis, draws, width)
    if draws.min() > 0 and draws.min() < 3 * width:
        density += _kernel(axis, -draws, width)
    return density


def _kernel(axis, draws, width):
    scaled = (axis[:, None] - draws) / width
    return np.exp(-0.5 * scaled**2).mean(axis=1) / (width * np.sqrt(2 * np.pi))


def _reference_density(reference, axis):
    """Return the exact density if there is one, a normal one if the quantiles are a normal's, else None."""
    if "density" in reference:
        density = reference["density"]
        points = np.linspace(density["from"], density["to"], len(density["values"]))
        return np.interp(axis, points, density["values"], left=0.0, right=0.0)
    skew = (reference["q95"] - reference["q50"]) / (reference["q50"] - reference["q05"])
    if not 0.85 < skew < 1.18:
        return None
    scaled = (axis - reference["mean"]) / reference["sd"]
    return np.exp(-0.5 * scaled**2) / (reference["sd"] * np.sqrt(2 * np.pi))


def _interval(panel, height, quantiles, color):
    low, middle, high = quantiles
    panel.plot([low, high], [height, height], color=color, linewidth=3, solid_capstyle="butt")
    panel.plot([middle], [height], "o", color=color, markersize=6, markeredgecolor="white")


def _draw_plane(panel, comparison):
    """Draw the posterior of the cone as a ring, with vipl's draws on it."""
    points, density, _ = comparison.model.quadrature()
    panel.contourf(points, points, density, levels=np.linspace(0.1, 1.0, 7) * density.max(), cmap="Greys")
    x, y = comparison.draws["x"][:600], comparison.draws["y"][:600]
    panel.plot(x, y, ".", color=_VIPL, markersize=2.5, alpha=0.6)
    panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    panel.set_title("x and y together", fontsize=12, pad=4)
    panel.tick_params(labelsize=10)
    panel.text(3.6, 0.0, comparison.model.REMARK, fontsize=12, va="center", linespacing=1.5)


def _label_row(figure, panel, comparison):
    posterior = comparison.posterior
    top = panel.get_position().y1
    title = comparison.model.TITLE.replace(" ", "\n")
    figure.text(0.012, top, title, fontsize=14, fontweight="bold", va="top")
    numbers = f"$\\hat{{k}}$ = {posterior.khat:.2f}: {posterior.verdict}\nELBO {posterior.elbo:.1f} nats"
    below = top - 0.025 - 0.02 * title.count("\n")
    figure.text(0.012, below, numbers, fontsize=12, va="top", linespacing=1.5)


def _legend(figure):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(facecolor=_VIPL, alpha=0.45, label="vipl, draws of the fitted guide"),
            Line2D([], [], color=_REFERENCE, linestyle="--", label="reference density"),
            Line2D([], [], color=_VIPL, linewidth=3, marker="o", label="vipl: 5 %, 50 %, 95 %"),
            Line2D([], [], color=_REFERENCE, linewidth=3, marker="o", label="reference: 5 %, 50 %, 95 %"),
        ],
        loc="upper center",
        ncols=4,
        fontsize=12,
        frameon=False,
        bbox_to_anchor=(0.5, 0.995),
    )


def _tidy(panel):
    panel.tick_params(labelsize=10)
    panel.locator_params(axis="x", nbins=5)
    for side in ("left", "right", "top"):
        panel.spines[side].set_visible(False)
