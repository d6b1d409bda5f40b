"""Gradient estimators: how the derivative of an expectation passes through a random choice.

Give one to a site, `vipl.sample(address, distribution, estimator=Reparam())`, or to the sites of an expectation,
`elbo.with_estimators({"z*": Reparam()})`.
"""

from vipl.estimators.auto import Auto
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.coupled.arm import ARM
from vipl.estimators.coupled.disarm import DisARM
from vipl.estimators.coupled.systematic import Systematic
from vipl.estimators.finite.enumerate import Enumerate
from vipl.estimators.finite.sum_and_sample import SumAndSample
from vipl.estimators.finite.unordered_set import UnorderedSet
from vipl.estimators.measure.measure_valued import MeasureValued
from vipl.estimators.measure.stochastic_derivative import StochasticDerivative
from vipl.estimators.pathwise.antithetic import Antithetic
from vipl.estimators.pathwise.quasi_monte_carlo import QuasiMonteCarlo
from vipl.estimators.pathwise.reparam import Reparam
from vipl.estimators.score.baselines import RunningAverage, RunningScale, regression_loss
from vipl.estimators.score.leave_one_out import LeaveOneOut
from vipl.estimators.score.score_function import ScoreFunction

__all__ = [
    "ARM",
    "Antithetic",
    "Auto",
    "DisARM",
    "Enumerate",
    "Estimator",
    "LeaveOneOut",
    "MeasureValued",
    "QuasiMonteCarlo",
    "Reparam",
    "RunningAverage",
    "RunningScale",
    "ScoreFunction",
    "StochasticDerivative",
    "SumAndSample",
    "Systematic",
    "UnorderedSet",
    "WeightedSamples",
    "regression_loss",
]
