"""`LowRank`: one normal distribution whose covariance is diagonal but for a few directions."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from numpyro.distributions import Normal

from vipl.guides.coordinates import Frame
from vipl.guides.family import check_count, check_positive
from vipl.guides.generic import generic
from vipl.guides.joint_family import JointFamily, Law
from vipl.guides.positive import softplus, softplus_inverse

_ROUNDS = 10  # of factor analysis
_LITTLE = 0.1  # of a spread: where U starts
_LEAST = 0.01  # of a variance, that may be of no other coordinate


@dataclasses.dataclass(frozen=True)
class LowRank(JointFamily):
    """A normal distribution with covariance `S² + U Uᵀ`, of all unconstrained coordinates together.

    S is diagonal and U has few columns. Prefer it where `FullRank` has too many parameters, and few directions hold
    most of the correlation. Cost of a step: O(d · rank² + rank³) more than that of the model.

    Attributes:
        rank: number of columns of U; the rounded square root of d where it is None, and never more than d.
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.
        noncentered: whether the coordinates of a site that is drawn around others are relative to these, as in
            `FullRank`.

    Params: `low_rank.loc`, `(d,)`, `low_rank.scale`, `(d,)`, whose softplus is S, and U, `low_rank.factor`,
    `(d, rank)`.

    Requirements: continuous sites whose supports are known statically; finite discrete sites get a categorical factor,
    and sites in subsampled plates a normal of their own for each element.

    Raises:
        ParameterError: `rank` is not a positive integer, or `init_scale` is not positive.

    Example:
        >>> from vipl import guides
        >>> guides.LowRank(rank=2)
        LowRank(rank=2, init_scale=0.1, noncentered=False)

    Source: Ong, Nott and Smith 2018, JCGS 27(3), eq. 7, for the family; its square root here is a bijection, after
    Andrews 1968, AIAA Journal 6(6), eq. 12.
    """

    rank: int | None = None
    init_scale: float = 0.1
    noncentered: bool = False

    frame = "diagonal"

    def __post_init__(self):
        if self.rank is not None:
            check_count(rank=self.rank)
        check_positive(init_scale=self.init_scale)

    def initial(self, center, in_frame, coordinates, surveyed):
        """Return where the params start."""
        del coordinates, surveyed
        size = len(center)
        rank = min(round(size**0.5) if self.rank is None else self.rank, size)
        wide = 1.0 if in_frame else self.init_scale
        # Where U is zero it has no gradient.
        factor = _LITTLE * wide * generic((size, rank), center.dtype)
        return {"loc": center, "scale": np.full_like(center, softplus_inverse(wide)), "factor": factor}

    def build(self, surveyed, frame=None):
        """Return the guide program and its initial params: the correlations that are known, and a little more."""
        program, params = super().build(surveyed, frame)
        if frame is not None and frame.modes:
            loc, factor = params[f"{self.name}.loc"], params[f"{self.name}.factor"]
            covariance = frame.modes[0].normal.covariance / np.outer(frame.scale, frame.scale)
            scale, known = _factors(covariance, factor.shape[1])
            params[f"{self.name}.factor"] = factor + known.astype(loc.dtype)
            params[f"{self.name}.scale"] = softplus_inverse(scale.astype(loc.dtype))
        return program, params

    def law(self, params, coordinates):
        """Return the normal law: with V = S⁻¹ U and L Lᵀ = I + Vᵀ V, I + V (I + L)⁻¹ Vᵀ is a root of I + V Vᵀ."""
        del coordinates
        loc, scale = params["loc"], softplus(params["scale"])
        factor = params["factor"] / scale[:, None]
        identity = jnp.eye(factor.shape[1], dtype=factor.dtype)
        root = jnp.linalg.cholesky(identity + factor.T @ factor)
        log_jacobian = jnp.sum(jnp.log(scale)) + jnp.sum(jnp.log(jnp.diagonal(root)))

        def push(noise):
            along = solve_triangular(identity + root, factor.T @ noise, lower=True)
            return loc + scale * (noise + factor @ along), log_jacobian

        def pull(vector):
            away = (vector - loc) / scale
            along = solve_triangular(root, factor.T @ away, lower=True)
            return away - factor @ solve_triangular(identity + root.T, along, lower=False), log_jacobian

        return Law(Normal(jnp.zeros_like(loc), 1.0).to_event(1), push, pull)

    def reframe(self, surveyed, params):
        """Return the frame of the params' own loc and S."""
        del surveyed
        if f"{self.name}.loc" not in params:
            return None, params
        loc, scale = params[f"{self.name}.loc"], softplus(params[f"{self.name}.scale"])
        return Frame(loc, scale), params | {
            f"{self.name}.loc": jnp.zeros_like(loc),
            f"{self.name}.scale": softplus_inverse(jnp.ones_like(scale)),
            f"{self.name}.factor": params[f"{self.name}.factor"] / scale[:, None],
        }

    def settle(self, surveyed, frame, params):
        """Return the params in the coordinates themselves."""
        del surveyed
        return None, params | {
            f"{self.name}.loc": frame.place(params[f"{self.name}.loc"]),
            f"{self.name}.scale": softplus_inverse(frame.scale * softplus(params[f"{self.name}.scale"])),
            f"{self.name}.factor": frame.scale[:, None] * params[f"{self.name}.factor"],
        }

    def moments(self, surveyed, params):
        """Return those of the normal."""
        scale, factor = softplus(params[f"{self.name}.scale"]), params[f"{self.name}.factor"]
        spread = (scale**2 + (factor**2).sum(1)) ** 0.5
        return self.latents(surveyed).moments(params[f"{self.name}.loc"], spread)


def _factors(covariance: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the S and U of a covariance: factor analysis by principal factors.

    Args:
        covariance: of coordinates whose conditional variances are 1, of which S is at most a part.
        rank: number of columns of U.
    """
    scale, factor = np.ones(len(covariance)), np.zeros((len(covariance), 0))
    for _ in range(_ROUNDS):
        values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
        factor = scale[:, None] * vectors[:, -rank:] * np.sqrt(np.maximum(values[-rank:] - 1, 0))
        scale = np.sqrt(np.clip(np.diag(covariance) - np.sum(factor**2, 1), _LEAST, 1.0))
    return scale, factor
