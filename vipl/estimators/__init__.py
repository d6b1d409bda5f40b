"""Gradient estimators: how the derivative of an expectation passes through a random choice.

Give one to a site, `vipl.sample(address, distribution, estimator=Reparam())`, or to the sites of an expectation,
`elbo.with_estimators({"z*": Reparam()})`.
"""

from vipl.estimators.auto import Auto
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.reparam import Reparam

__all__ = ["Auto", "Estimator", "Reparam", "WeightedSamples"]
