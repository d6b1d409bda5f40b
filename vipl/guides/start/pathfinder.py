"""Pathfinder: normal approximations along the path of an optimiser, of which the one of the best bound is kept.

A path climbs from a random point towards a mode. On the way it passes the bulk of the posterior, which at the end it
may have left: the density of a hierarchical model grows without bound where its scale goes to zero. L-BFGS has an
estimate of the covariance at each point for nothing.

Source: Zhang, Carpenter, Gelman and Vehtari 2022, JMLR 23(306), algorithms 1 to 4.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.guides.start.normal import Normal
from vipl.guides.start.target import Target

_HISTORY = 12  # steps that the estimate of the covariance remembers
_DRAWS = 16  # draws for each bound
# Times the largest value so far: where a point without a density is put. From further down the search along a line
# would come back with a step of nothing.
_FAR = 10.0


@dataclasses.dataclass(frozen=True)
class Found:
    """What one path found: a normal distribution, and its evidence lower bound, in nats."""

    normal: Normal
    elbo: float


@dataclasses.dataclass(frozen=True)
class Path:
    """The way of L-BFGS.

    Attributes:
        points: `(n, d)`; none if there is no density where it starts.
        gradients: of the log density there, `(n, d)`.
    """

    points: np.ndarray
    gradients: np.ndarray


def follow(target: Target, start: np.ndarray, random: np.random.Generator, max_steps: int) -> Found | None:
    """Climb from a point, and return the best normal approximation on the way; None if no bound is finite."""
    return best_on(target, climb(target, start, max_steps), random)


def best_on(target: Target, path: Path, random: np.random.Generator) -> Found | None:
    """Return the best normal approximation on a path; None if no bound is finite."""
    if len(path.points) == 0:
        return None
    candidates = list(_approximations(path.points, path.gradients))
    noise = random.standard_normal((_DRAWS, path.points.shape[1]))
    draws = np.concatenate([normal.push(noise) for normal in candidates])
    log_densities = target.at(draws)[0].reshape(len(candidates), _DRAWS)
    log_probs = np.stack([normal.log_prob_of_noise(noise) for normal in candidates])
    bounds = np.mean(np.where(np.isfinite(log_densities), log_densities, -np.inf) - log_probs, -1)
    best = int(np.argmax(bounds))
    return Found(candidates[best], float(bounds[best])) if np.isfinite(bounds[best]) else None


def climb(target: Target, start: np.ndarray, max_steps: int) -> Path:
    """Go up from a point by L-BFGS."""
    from scipy.optimize import minimize

    seen: dict[bytes, np.ndarray] = {}
    path: list[np.ndarray] = []
    furthest = [1.0]  # the largest value so far, in nats

    def descend(point):
        (value,), (gradient,) = target.at(point)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
            return _FAR * furthest[0], np.zeros_like(point)
        seen[point.tobytes()] = gradient
        furthest[0] = max(furthest[0], abs(value))
        return -value, -gradient

    descend(start)
    if not seen:
        return Path(np.zeros((0, len(start))), np.zeros((0, len(start))))
    path.append(start.copy())
    minimize(
        descend,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=lambda point: path.append(np.array(point)),
        options={"maxiter": max_steps, "maxcor": _HISTORY, "maxls": 40},
    )
    path = [point for point in path if point.tobytes() in seen]
    return Path(np.stack(path), np.stack([seen[point.tobytes()] for point in path]))


def _approximations(points, gradients):
    """Yield a normal distribution at each point: its covariance is the estimate of the inverse of the curvature."""
    diagonal = np.ones(points.shape[1])
    history: list = []
    for position, (point, gradient) in enumerate(zip(points, gradients, strict=True)):
        if position:
            step, fall = point - points[position - 1], gradients[position - 1] - gradient
            if step @ fall > 1e-12 * (fall @ fall):
                diagonal = _updated(diagonal, step, fall)
                history = [*history, (step, fall)][-_HISTORY:]
        covariance = np.diag(diagonal)
        for step, fall in history:
            rate, pushed = 1 / (step @ fall), covariance @ fall
            cross = rate * np.outer(step, pushed)
            covariance = covariance - cross - cross.T + (rate**2 * (fall @ pushed) + rate) * np.outer(step, step)
        yield Normal.of(point + covariance @ gradient, covariance)


def _updated(diagonal, step, fall):
    """Return the diagonal of the estimate after one more step (Zhang et al., eq. 10, of Gilbert and Lemaréchal)."""
    a, b, c = fall @ (diagonal * fall), fall @ step, step @ (step / diagonal)
    return 1 / (a / (b * diagonal) + fall**2 / b - a * step**2 / (b * c * diagonal**2))
