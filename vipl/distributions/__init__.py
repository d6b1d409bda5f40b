"""Distributions, constraints and transforms: NumPyro's, under one name.

    import vipl.distributions as dist

    dist.Normal(0.0, 1.0), dist.constraints.positive, dist.biject_to(dist.constraints.simplex)

Every name is NumPyro's own object, so a distribution written for NumPyro is a distribution here.
vipl adds distributions (`extra`): `OneHotCategorical`, `RelaxedOneHotCategorical` and `LogGamma`.
The modules of this folder hold what it adds to all of them: densities with safe gradients (`log_prob`),
draws made of noise and a transport (`base_noise`), relations between supports (`support`) and
subsampling without replacement (`subsample`).
"""

from numpyro import distributions as _numpyro_distributions
from numpyro.distributions import *  # noqa: F403

from vipl.distributions import extra as _extra
from vipl.distributions.extra import *  # noqa: F403

__all__ = [*_numpyro_distributions.__all__, *_extra.__all__]
