"""Figure 2: the exact posterior, and draws from what each bound has learnt."""

import jax
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from objectives import posterior

import vipl


def draws(row, params, key, num_draws=1000):
    """Return x and y, `(num_draws,)` each, from the posterior that a row has learnt."""
    program = posterior(row, params)
    found = jax.jit(jax.vmap(lambda key: vipl.simulate(program, key).choices))(jax.random.split(key, num_draws))
    return np.asarray(found["x"]), np.asarray(found["y"])


def save(path, axis, density, samples):
    """Save the figure; `samples` has x and y by the title of their panel."""
    figure = Figure(figsize=(12, 8.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    exact, *panels = figure.subplots(2, 3, sharex=True, sharey=True).flat
    exact.imshow(density, extent=(axis[0], axis[-1], axis[0], axis[-1]), origin="lower", cmap="Blues")
    exact.set_title("posterior, by quadrature")
    for panel, (title, (x, y)) in zip(panels, samples.items(), strict=True):
        panel.contour(axis, axis, density, levels=[0.1 * density.max()], colors="#222222", linewidths=0.8)
        panel.plot(x, y, ".", color="#3b6fb6", markersize=3, alpha=0.5)
        panel.set_title(title)
    exact.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    for panel in (exact, *panels):
        panel.set_aspect("equal")
    figure.savefig(path)
