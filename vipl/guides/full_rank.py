"""`FullRank`: one normal distribution with a full covariance."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Normal

from vipl.guides.coordinates import Frame
from vipl.guides.family import check_positive
from vipl.guides.joint_family import JointFamily, Law
from vipl.guides.positive import lower_triangle, raw_triangle, softplus_inverse


@dataclasses.dataclass(frozen=True)
class FullRank(JointFamily):
    """A normal distribution with a full covariance, of all unconstrained coordinates together.

    Prefer it to `MeanField` whenever the posterior is correlated, which is nearly always, and d(d + 1)/2 parameters
    for d coordinates are affordable: up to about a thousand. Means and spreads are right where the posterior is about
    normal in unconstrained coordinates. Cost of a step: O(d²) more than that of the model.

    Attributes:
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.
        noncentered: whether the coordinate of a site that is drawn around others, `theta ~ Normal(mu, tau)`, is how far
            from them it is, `(theta − mu) / tau`. Prefer it for hierarchical models with few data in each group.

    Params: `full_rank.loc`, `(d,)`, and `full_rank.scale_tril`, `(d, d)`, of which the lower triangle counts and the
    softplus of the diagonal.

    Requirements: continuous sites whose supports are known statically; finite discrete sites get a categorical factor,
    and sites in subsampled plates a normal of their own for each element.

    Raises:
        ParameterError: `init_scale` is not positive.

    Example:
        >>> from vipl import guides
        >>> guides.FullRank()
        FullRank(init_scale=0.1, noncentered=False)

    Source: Kucukelbir et al. 2017 (ADVI), JMLR 18(14), §2.4, eq. 7.
    """

    init_scale: float = 0.1
    noncentered: bool = False

    frame = "full"

    def __post_init__(self):
        check_positive(init_scale=self.init_scale)

    def initial(self, center, in_frame, coordinates, surveyed):
        """Return where the params start."""
        del coordinates, surveyed
        scale = 1.0 if in_frame else self.init_scale
        diagonal = np.full(center.shape, softplus_inverse(scale), center.dtype)
        return {"loc": center, "scale_tril": np.diag(diagonal)}

    def law(self, params, coordinates):
        """Return the normal law."""
        del coordinates
        loc, scale = params["loc"], lower_triangle(params["scale_tril"])
        log_jacobian = jnp.sum(jnp.log(jnp.diagonal(scale)))

        def push(noise):
            return loc + scale @ noise, log_jacobian

        def pull(vector):
            return jax.scipy.linalg.solve_triangular(scale, vector - loc, lower=True), log_jacobian

        return Law(Normal(jnp.zeros_like(loc), 1.0).to_event(1), push, pull)

    def reframe(self, surveyed, params):
        """Return the frame of the params' own normal."""
        loc = params[f"{self.name}.loc"]
        frame = Frame(loc, lower_triangle(params[f"{self.name}.scale_tril"]))
        coordinates = self.latents(surveyed).together
        inside = self.initial(np.zeros(loc.shape, loc.dtype), True, coordinates, surveyed)
        return frame, params | {f"{self.name}.{name}": value for name, value in inside.items()}

    def settle(self, surveyed, frame, params):
        """Return the params in the coordinates themselves."""
        del surveyed
        loc, scale = params[f"{self.name}.loc"], lower_triangle(params[f"{self.name}.scale_tril"])
        wide = np.diag(frame.scale) if frame.scale.ndim == 1 else frame.scale
        return None, params | {
            f"{self.name}.loc": frame.place(loc),
            f"{self.name}.scale_tril": raw_triangle(wide @ scale),
        }

    def moments(self, surveyed, params):
        """Return those of the normal."""
        scale = lower_triangle(params[f"{self.name}.scale_tril"])
        return self.latents(surveyed).moments(params[f"{self.name}.loc"], (scale**2).sum(1) ** 0.5)
