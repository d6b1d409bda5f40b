"""Flat priors, whose density is 0 nats all over their support: no probability, and no draws.

>>> import vipl.distributions as dist
>>> is_improper(dist.ImproperUniform(dist.constraints.positive, (), ()).expand([3]))
True
"""

from __future__ import annotations

import numpyro.distributions as dist
from numpyro.distributions import Distribution


def is_improper(distribution: Distribution) -> bool:
    """Return whether a distribution is flat and without a sampler, or made of one that is."""
    while (base := getattr(distribution, "base_dist", None)) is not None:
        distribution = base
    return isinstance(distribution, dist.ImproperUniform)
