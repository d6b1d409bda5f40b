"""Nodes and weights of the quadratures."""

from __future__ import annotations

import numpy as np


def panels(edges, count):
    """Return Gauss-Legendre nodes and weights, `count` between each two edges."""
    points, weights = np.polynomial.legendre.leggauss(count)
    edges = np.asarray(edges, float)
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * points).ravel(), (half * weights).ravel()


def unit_interval(count):
    """Return nodes and weights on both sides of ½ in (0, 1), for densities that vanish at the ends: x = t²(3 − 2t)."""
    t, weights = panels([0, 0.5, 1], count)
    return t * t * (3 - 2 * t), weights * 6 * t * (1 - t)


def simplex(count):
    """Return nodes and weights on the simplex of three: one stick broken twice."""
    points, weights = unit_interval(count)
    first, second = (p.ravel() for p in np.meshgrid(points, points, indexing="ij"))
    nodes = np.stack([first, (1 - first) * second, (1 - first) * (1 - second)], axis=-1)
    return nodes, np.outer(weights, weights).ravel() * (1 - first)


LINE = panels(np.arange(-7, 8.51, 0.5), 5)
HALF_LINE = panels([0, 0.02, 0.1, 0.3, 0.6, 1, 1.5, 2, 3, 4, 5, 6.5, 8, 10, 13, 17, 22, 29, 40], 6)
