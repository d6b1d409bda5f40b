"""`MeanField`: independent normals in unconstrained coordinates."""

from __future__ import annotations

import dataclasses
import math

import jax
import numpy as np
from numpyro.distributions import Normal, TransformedDistribution, biject_to, constraints

from vipl._core.errors import ShapeError
from vipl._core.source import user_source
from vipl.guides.family import GuideFamily, continuous_latents
from vipl.lang.param import param
from vipl.lang.program import Program
from vipl.lang.sample import sample


@dataclasses.dataclass(frozen=True)
class MeanField(GuideFamily):
    """Independent normal distributions, one for each unconstrained coordinate of the latent sites.

    A site on a constrained support (positive, simplex, Cholesky factors, …) gets the normal's image under
    NumPyro's `biject_to(support)`. Prefer it for speed and as a first fit; it finds means well and
    understates the spread of correlated posteriors. Cost: two parameters for each coordinate.

    Attributes:
        init_scale: standard deviation at the start, in unconstrained units.

    Requirements: continuous latent sites whose supports are known statically.

    Raises:
        EstimatorError: a latent site is discrete.
        SupportError: a support is not known before the model runs.

    Example:
        >>> from vipl import guides
        >>> guides.MeanField()
        MeanField(init_scale=0.1)

    Source: Kucukelbir et al. 2017 (ADVI), JMLR 18(14), §2.4.
    """

    init_scale: float = 0.1

    def __post_init__(self):
        if not self.init_scale > 0:
            raise ShapeError(
                f"init_scale is {self.init_scale}; it must be positive.",
                where=user_source(),
                fix="init_scale=0.1",
            )

    def build(self, surveyed) -> tuple[Program, dict]:
        """Return the guide program and its initial params."""
        sites, params = [], {}
        for latent in continuous_latents(surveyed, "MeanField"):
            bijection = biject_to(latent.support)
            shape = tuple(bijection.inverse_shape(latent.shape))
            dtype = np.dtype(surveyed.latents[latent.address][0].statement.dtype)
            start = latent.start if latent.start is not None and _is_identity(latent.support) else 0.0
            params[f"{latent.address}.loc"] = np.array(np.broadcast_to(np.asarray(start, dtype), shape))
            params[f"{latent.address}.scale"] = np.full(shape, math.log(math.expm1(self.init_scale)), dtype)
            sites.append(MeanFieldSite(latent.address, shape, dtype.name, Support(latent.support)))
        return Program(MeanFieldGuide(tuple(sites))), params


def _is_identity(support) -> bool:
    while isinstance(support, type(constraints.independent(constraints.real, 1))):
        support = support.base_constraint
    return support is constraints.real


class Support:
    """A constraint that compares by value, so that a guide made again is the same program to `jax.jit`."""

    def __init__(self, constraint):
        self.constraint = constraint
        leaves, structure = jax.tree.flatten(constraint)
        arrays = [np.asarray(leaf) for leaf in leaves]
        self._key = (type(constraint), structure, tuple((a.shape, a.dtype.str, a.tobytes()) for a in arrays))

    def __eq__(self, other):
        return type(other) is Support and self._key == other._key

    def __hash__(self):
        return hash(self._key)


@dataclasses.dataclass(frozen=True)
class MeanFieldSite:
    """One site of a mean-field guide: its address, unconstrained shape and type, and support."""

    address: str
    shape: tuple[int, ...]
    dtype: str
    support: Support


@dataclasses.dataclass(frozen=True)
class MeanFieldGuide:
    """The function of a mean-field guide program."""

    sites: tuple[MeanFieldSite, ...]

    __name__ = "mean_field"

    def __call__(self):
        """Sample every site."""
        for site in self.sites:
            zeros = np.zeros(site.shape, site.dtype)
            loc = param(f"{site.address}.loc", zeros)
            scale = param(f"{site.address}.scale", zeros + 1, constraint=constraints.positive)
            normal = Normal(loc, scale).to_event(len(site.shape))
            if _is_identity(site.support.constraint):
                sample(site.address, normal)
            else:
                sample(
                    site.address,
                    TransformedDistribution(normal, _whole(biject_to(site.support.constraint), site)),
                )


def _whole(bijection, site):
    """Return the bijection as a transform of the whole site, one event."""
    from numpyro.distributions.transforms import IndependentTransform

    extra = len(site.shape) - bijection.domain.event_dim
    return [IndependentTransform(bijection, extra)] if extra else [bijection]
