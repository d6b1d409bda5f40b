"""Discrete distributions that make sense between the points of their support: vectors of zeros and ones."""

from __future__ import annotations

import numpyro.distributions as dist

from vipl.distributions.extra import OneHotCategoricalLogits, OneHotCategoricalProbs

ONE_HOT = (OneHotCategoricalProbs, OneHotCategoricalLogits)
RELAXABLE = (dist.BernoulliProbs, dist.BernoulliLogits, *ONE_HOT)
_WRAPPERS = (dist.Independent, dist.ExpandedDistribution, dist.MaskedDistribution)


def is_relaxable(distribution: dist.Distribution) -> bool:
    """Return whether a distribution is one of these, perhaps in a plate or an event of several.

    Example:
        >>> import vipl.distributions as dist
        >>> is_relaxable(dist.Bernoulli(0.5).expand([3]).to_event(1)), is_relaxable(dist.Poisson(2.0))
        (True, False)
    """
    while isinstance(distribution, _WRAPPERS):
        distribution = distribution.base_dist
    return isinstance(distribution, RELAXABLE)
