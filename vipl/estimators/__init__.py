"""Gradient estimators: how the derivative of an expectation passes through a random choice.

Give one to a site, `vipl.sample(address, distribution, estimator=Reparam())`, or to the sites of an expectation,
`elbo.with_estimators({"z*": Reparam()})`.
"""

from vipl.estimators.auto import Auto
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.enumerate import Enumerate
from vipl.estimators.leave_one_out import LeaveOneOut
from vipl.estimators.measure_valued import MeasureValued
from vipl.estimators.reparam import Reparam
from vipl.estimators.score_function import ScoreFunction

__all__ = [
    "Auto",
    "Enumerate",
    "Estimator",
    "LeaveOneOut",
    "MeasureValued",
    "Reparam",
    "ScoreFunction",
    "WeightedSamples",
]
