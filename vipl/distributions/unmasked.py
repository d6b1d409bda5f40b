"""The law that a draw follows: a mask takes a site out of the density, and does not change how it is drawn."""

from __future__ import annotations

import copy

import numpyro.distributions as dist


def unmasked(distribution: dist.Distribution) -> dist.Distribution:
    """Return the distribution without the masks that `expand` and `to_event` may hide.

    Example:
        >>> import vipl.distributions as dist
        >>> type(unmasked(dist.Normal(0.0, 1.0).mask(False).expand([3]))).__name__
        'ExpandedDistribution'
    """
    if isinstance(distribution, dist.MaskedDistribution):
        return unmasked(distribution.base_dist)
    if not isinstance(distribution, (dist.ExpandedDistribution, dist.Independent)):
        return distribution
    base = unmasked(distribution.base_dist)
    if base is distribution.base_dist:
        return distribution
    clone = copy.copy(distribution)
    clone.base_dist = base
    return clone
