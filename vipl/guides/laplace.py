"""`Laplace`: a normal distribution around a mode, with the curvature there."""

from __future__ import annotations

import dataclasses
import functools

import jax
import numpy as np

from vipl.guides.direct import DirectFamily, Solution
from vipl.guides.full_rank import FullRank
from vipl.guides.positive import raw_triangle
from vipl.guides.prior_coordinates import in_model
from vipl.guides.start.find import find_normal
from vipl.guides.start.normal import Normal
from vipl.guides.start.target import Target, log_density_at

_NEWTON_STEPS = 10
_CLOSE = 1e-3  # in standard deviations


@dataclasses.dataclass(frozen=True)
class Laplace(DirectFamily, FullRank):
    """The normal distribution with the mode and the curvature of the posterior in unconstrained coordinates.

    Found by L-BFGS from several points and Newton's method, without a stochastic gradient: the cheapest guide with
    correlations. Prefer it for posteriors near to normal: many data and few parameters. Where the posterior is skewed,
    `FullRank` has better means; where it has no mode, as a hierarchical model in its own coordinates, there is no
    Laplace approximation, and the status says so. Cost: d gradients for the curvature.

    Attributes:
        init_scale: of no use here.
        noncentered: whether the coordinate of a site that is drawn around others, `theta ~ Normal(mu, tau)`, is how far
            from them it is, `(theta − mu) / tau`.

    Params: as of `FullRank`: `laplace.loc` and `laplace.scale_tril`.

    Requirements: continuous sites, the whole data at once, at most 300 coordinates.

    Raises:
        EstimatorError: when it is fitted, the log density is no function of the coordinates.

    Example:
        >>> from vipl import guides
        >>> guides.Laplace()
        Laplace(init_scale=0.1, noncentered=False)

    Source: Tierney and Kadane 1986, JASA 81(393):82; MacKay 2003, ch. 27.
    """

    def solve(self, surveyed, model, key, num_steps):
        """Find mode and curvature."""
        latents = self.whole(surveyed)
        target = Target(model, latents.together)
        near = find_normal(model, latents, key)
        point = latents.start().astype(float) if near is None else near.mean
        history, status = [], "not converged: the curvature is not that of a maximum; noncentered=True, or FullRank()"
        normal = Normal(point, np.eye(len(point)))
        for _ in range(min(_NEWTON_STEPS, num_steps)):
            (value,), (gradient,) = target.at(point)
            history.append(value)
            curvature = -np.asarray(_hessian(model, point.astype(latents.together.dtype), latents.together), float)
            found = _normal_of(point, curvature)
            if found is None:
                break
            normal, step = found, found.covariance @ gradient
            far = np.linalg.norm(np.linalg.solve(found.scale, step))
            if far < _CLOSE:
                status = "finished"
                break
            point = _onward(target, point, step, value)
            status = f"not converged: the mode is still {far:.1g} standard deviations away"
        dtype = latents.together.dtype
        scale = raw_triangle(normal.scale.astype(dtype))
        params = {"laplace.loc": normal.mean.astype(dtype), "laplace.scale_tril": scale}
        return Solution(params, np.array(history), status)


def _normal_of(point, curvature) -> Normal | None:
    """Return the normal of a precision matrix, or None if it is none."""
    if not np.all(np.isfinite(curvature)) or np.any(np.diag(curvature) <= 0):
        return None
    spread = 1 / np.sqrt(np.diag(curvature))
    values, vectors = np.linalg.eigh(curvature * np.outer(spread, spread))
    if values[0] <= 1e-7 * values[-1]:
        return None
    return Normal.of(point, (vectors / values) @ vectors.T * np.outer(spread, spread))


def _onward(target, point, step, value):
    """Return the point after a Newton step, shortened until the log density does not fall."""
    for shorter in (1.0, 0.5, 0.25, 0.1, 0.01):
        if target.at(point + shorter * step)[0][0] >= value - 1e-3:
            return point + shorter * step
    return point


@functools.partial(jax.jit, static_argnums=2)
def _hessian(model, vector, coordinates):
    return jax.hessian(lambda x: log_density_at(model, in_model(coordinates, model), x))(vector)
