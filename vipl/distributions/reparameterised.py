"""Which distributions have a differentiable sampler, also where NumPyro does not say so.

>>> import vipl.distributions as dist
>>> is_reparameterised(dist.Levy(0.0, 1.0)), is_reparameterised(dist.Poisson(2.0))
(True, False)
"""

from __future__ import annotations

import numpyro.distributions as dist
from numpyro.distributions import Distribution

# Inverse of the distribution function; Bartlett's decomposition, whose chi-squares are drawn as gammas are.
_DIFFERENTIABLE = {dist.Levy.sample, dist.WishartCholesky.sample, dist.InverseWishartCholesky.sample}
_AS_ITS_BASE = (
    dist.Independent,
    dist.ExpandedDistribution,
    dist.MaskedDistribution,
    dist.FoldedDistribution,
    dist.TransformedDistribution,
)


def is_reparameterised(distribution: Distribution) -> bool:
    """Return whether a draw, with the noise held fixed, is a differentiable function of every parameter."""
    while isinstance(distribution, _AS_ITS_BASE) and not distribution.has_rsample:
        distribution = distribution.base_dist
    return bool(distribution.has_rsample) or type(distribution).sample in _DIFFERENTIABLE
