"""Censored distributions, whose density is that of an observation and not of a draw.

>>> import jax.numpy as jnp, vipl.distributions as dist
>>> is_censored(dist.RightCensoredDistribution(dist.Exponential(1.0), jnp.array(1)))
True
"""

from __future__ import annotations

import numpyro.distributions as dist
from numpyro.distributions import Distribution

_CENSORED = (
    dist.LeftCensoredDistribution,
    dist.RightCensoredDistribution,
    dist.IntervalCensoredDistribution,
)


def is_censored(distribution: Distribution) -> bool:
    """Return whether a draw is from another law than the density: NumPyro draws what is not censored."""
    while isinstance(distribution, (dist.Independent, dist.ExpandedDistribution, dist.MaskedDistribution)):
        distribution = distribution.base_dist
    return isinstance(distribution, _CENSORED)
