"""Distribution functions that are exact, and differentiable in every parameter.

>>> import vipl.distributions as dist
>>> has_cdf(dist.Gamma(2.0, 1.0)), has_cdf(dist.VonMises(0.0, 1.0))
(True, False)
"""

from __future__ import annotations

import numpyro.distributions as dist
from numpyro.distributions import Distribution

from vipl.distributions.components import without_plates

# Not among them: Beta, StudentT (JAX has no derivative of the incomplete beta function in its parameters) and VonMises
# (NumPyro approximates it).
_EXACT = (
    dist.Normal,
    dist.Laplace,
    dist.Logistic,
    dist.Cauchy,
    dist.Gumbel,
    dist.LogNormal,
    dist.Exponential,
    dist.Gamma,
    dist.Weibull,
    dist.HalfNormal,
    dist.HalfCauchy,
)


def has_cdf(distribution: Distribution) -> bool:
    """Return whether `distribution.cdf` may be differentiated in the value and in the parameters."""
    distribution = without_plates(distribution)
    if isinstance(distribution, dist.MixtureSameFamily):
        return has_cdf(distribution.component_distribution)
    if isinstance(distribution, dist.MixtureGeneral):
        return all(map(has_cdf, distribution.component_distributions))
    return type(distribution) in _EXACT
