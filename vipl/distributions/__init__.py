"""Distributions, constraints and transforms: NumPyro's, under one name.

    import vipl.distributions as dist

    dist.Normal(0.0, 1.0), dist.constraints.positive, dist.biject_to(dist.constraints.simplex)

Every name is NumPyro's own object, so a distribution written for NumPyro is a distribution here.
What vipl adds lives in the modules of this folder: densities with safe gradients (`log_prob`),
draws made of noise and a transport (`base_noise`), relations between supports (`support`) and
subsampling without replacement (`subsample`).
"""

from numpyro import distributions as _numpyro_distributions
from numpyro.distributions import *  # noqa: F403

__all__ = list(_numpyro_distributions.__all__)
