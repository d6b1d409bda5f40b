"""`ASVI`: each site between its prior, given the sites that this is drawn around, and a normal of its own."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Normal

from vipl.guides.coordinates import Coordinates
from vipl.guides.family import check_positive
from vipl.guides.joint_family import JointFamily, Law
from vipl.guides.positive import softplus_inverse
from vipl.guides.prior_coordinates import PriorCoordinates


@dataclasses.dataclass(frozen=True)
class ASVI(JointFamily):
    """Normal sites whose location and log scale are blended of the prior's, given the guide's draws, and learned ones.

    A site that is drawn around others, `theta ~ Normal(mu, tau)`, has location λ mu + (1 − λ) α and log scale
    λ log tau + (1 − λ) β: λ = 1 is the prior, λ = 0 mean field. So the guide has the structure of the model in it, and
    each site learns how much of it the data leave. Prefer it for hierarchical models and time series with many sites,
    some with many data and some with few; four parameters for each coordinate. Sites that are drawn around nothing are
    as in `MeanField`.

    Attributes:
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.

    Params: `asvi.loc` and `asvi.scale`, `(d,)`, of the noise; for each blended site `asvi.<site>.share`, whose sigmoid
    is λ, `asvi.<site>.loc` α and `asvi.<site>.log_scale` β, of the site's shape.

    Requirements: as of `FullRank`. Blended are Normal, LogNormal, StudentT, Cauchy, Laplace, Logistic and Gumbel sites.

    Raises:
        ParameterError: `init_scale` is not positive.

    Example:
        >>> from vipl import guides
        >>> guides.ASVI()
        ASVI(init_scale=0.1)

    Source: Ambrogioni et al. 2021, arXiv 2102.03901, "Automatic structured variational inference", eq. 5, for location
    and log scale.
    """

    init_scale: float = 0.1

    noncentered = True
    frame = "diagonal"

    def __post_init__(self):
        check_positive(init_scale=self.init_scale)

    @property
    def name(self):
        """Address of the noise, and prefix of the params."""
        return "asvi"

    def initial(self, center, in_frame, coordinates: Coordinates, surveyed):
        """Return where the params start."""
        del surveyed
        wide = [1.0 if in_frame or block.by_prior else self.init_scale for block in coordinates.blocks]
        raw = [np.full(b.size, softplus_inverse(scale)) for b, scale in zip(coordinates.blocks, wide, strict=True)]
        params = {"loc": center, "scale": np.concatenate(raw).astype(center.dtype)}
        for block in coordinates.blocks:
            if block.by_prior:
                zeros = np.zeros(block.shape, block.dtype)
                params |= {f"{block.address}.share": zeros + 2}  # near the prior, where the frame was found
                params |= {f"{block.address}.{part}": zeros for part in ("loc", "log_scale")}
        return params

    def placed(self, params, coordinates, model):
        """Return the coordinates, in which the blended sites stand between prior and normal."""
        blend = {
            block.address: (
                jax.nn.sigmoid(params[f"{block.address}.share"]),
                params[f"{block.address}.loc"],
                params[f"{block.address}.log_scale"],
            )
            for block in coordinates.blocks
            if block.by_prior
        }
        if model is None or not blend:
            return coordinates
        return PriorCoordinates(coordinates, model, blend)

    def law(self, params, coordinates):
        """Return the law of the noise."""
        del coordinates
        loc, scale = params["loc"], jax.nn.softplus(params["scale"])
        log_jacobian = jnp.sum(jnp.log(scale))
        base = Normal(jnp.zeros_like(loc), 1.0).to_event(1)
        return Law(base, lambda noise: (loc + scale * noise, log_jacobian), lambda v: ((v - loc) / scale, log_jacobian))
