"""Gradient estimators: how the derivative of an expectation passes through a random choice.

Give one to a site, `vipl.sample(address, distribution, estimator=Reparam())`, or to the sites of an expectation,
`elbo.with_estimators({"z*": Reparam()})`.
"""

from typing import TYPE_CHECKING

from vipl._core.on_first_use import on_first_use
from vipl.estimators.auto import Auto
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.finite.enumerate import Enumerate
from vipl.estimators.pathwise.reparam import Reparam
from vipl.estimators.score.score_function import ScoreFunction

if TYPE_CHECKING:
    from vipl.estimators.coupled.arm import ARM
    from vipl.estimators.coupled.disarm import DisARM
    from vipl.estimators.coupled.systematic import Systematic
    from vipl.estimators.finite.sum_and_sample import SumAndSample
    from vipl.estimators.finite.unordered_set import UnorderedSet
    from vipl.estimators.measure.measure_valued import MeasureValued
    from vipl.estimators.measure.stochastic_derivative import StochasticDerivative
    from vipl.estimators.mixture.by_component import ByComponent
    from vipl.estimators.pathwise.antithetic import Antithetic
    from vipl.estimators.pathwise.implicit import Implicit
    from vipl.estimators.pathwise.quasi_monte_carlo import QuasiMonteCarlo
    from vipl.estimators.relaxed.biased import GumbelSoftmax, StraightThrough
    from vipl.estimators.relaxed.rebar import REBAR
    from vipl.estimators.relaxed.relax import RELAX
    from vipl.estimators.score.baselines import RunningAverage, RunningScale, regression_loss
    from vipl.estimators.score.leave_one_out import LeaveOneOut
    from vipl.estimators.score.unscored import Unscored

__all__ = [
    "ARM",
    "REBAR",
    "RELAX",
    "Antithetic",
    "Auto",
    "ByComponent",
    "DisARM",
    "Enumerate",
    "Estimator",
    "GumbelSoftmax",
    "Implicit",
    "LeaveOneOut",
    "MeasureValued",
    "QuasiMonteCarlo",
    "Reparam",
    "RunningAverage",
    "RunningScale",
    "ScoreFunction",
    "StochasticDerivative",
    "StraightThrough",
    "SumAndSample",
    "Systematic",
    "UnorderedSet",
    "Unscored",
    "WeightedSamples",
    "regression_loss",
]

__getattr__ = on_first_use(
    globals(),
    {
        "ARM": "vipl.estimators.coupled.arm",
        "Antithetic": "vipl.estimators.pathwise.antithetic",
        "ByComponent": "vipl.estimators.mixture.by_component",
        "DisARM": "vipl.estimators.coupled.disarm",
        "GumbelSoftmax": "vipl.estimators.relaxed.biased",
        "Implicit": "vipl.estimators.pathwise.implicit",
        "LeaveOneOut": "vipl.estimators.score.leave_one_out",
        "MeasureValued": "vipl.estimators.measure.measure_valued",
        "QuasiMonteCarlo": "vipl.estimators.pathwise.quasi_monte_carlo",
        "REBAR": "vipl.estimators.relaxed.rebar",
        "RELAX": "vipl.estimators.relaxed.relax",
        "RunningAverage": "vipl.estimators.score.baselines",
        "RunningScale": "vipl.estimators.score.baselines",
        "StochasticDerivative": "vipl.estimators.measure.stochastic_derivative",
        "StraightThrough": "vipl.estimators.relaxed.biased",
        "SumAndSample": "vipl.estimators.finite.sum_and_sample",
        "Systematic": "vipl.estimators.coupled.systematic",
        "UnorderedSet": "vipl.estimators.finite.unordered_set",
        "Unscored": "vipl.estimators.score.unscored",
        "regression_loss": "vipl.estimators.score.baselines",
    },
)


def __dir__():
    return __all__
