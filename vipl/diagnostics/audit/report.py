"""What an audit found, as plain data, and as a table that a person can read."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.diagnostics.audit import table
from vipl.estimators import Estimator


@dataclasses.dataclass(frozen=True)
class Bias:
    """Whether a mean gradient agrees with that of a trustworthy alternative.

    Attributes:
        verdict: one of
            "none": no bias, and the test would have seen one of a tenth of the gradient;
            "biased": a bias, with a false alarm rate of 1e-4 at most;
            "not shown": no bias, but the test would only have seen one larger than a tenth of the gradient;
            "not trustworthy": a tail too heavy to judge, or gradients that are not finite.
        reference: what it was compared with.
        size: length of the bias, in the units of the gradient; None unless biased, and with central differences.
        relative_size: the same as a share of the length of the reference's mean gradient; None unless biased.
        z: the bias in standard errors, along the direction where it is largest; None where it was not looked for.
        resolution: the smallest bias that would have been seen nine times in ten, as a share of the length of the mean
            gradient; infinite where the gradient is not told from zero, None where the draws are not trustworthy.
        num_draws: how many gradients were compared.
        remark: what else is to say.
    """

    verdict: str
    reference: str
    size: float | None = None
    relative_size: float | None = None
    z: float | None = None
    resolution: float | None = None
    num_draws: int = 0
    remark: str = ""

    def __str__(self):
        return table.in_words(self)


@dataclasses.dataclass(frozen=True)
class Alternative:
    """Another estimator in the place of the one in use, all other choices as they are.

    Attributes:
        estimator: it.
        refusal: why it cannot serve; then all that follows is None.
        variance: of the whole gradient, summed over its elements.
        seconds: of one gradient.
        efficiency: variance times seconds of the present, over the same with this one.
        largest_share: share of the squares that one draw carries; above 0.05 the variance means little.
        bias: whether its mean gradient is right; None for the reference itself.
        suspicion: what a BiasWarning said.
    """

    estimator: Estimator
    refusal: str | None = None
    variance: float | None = None
    seconds: float | None = None
    efficiency: float | None = None
    largest_share: float | None = None
    bias: Bias | None = None
    suspicion: str | None = None


@dataclasses.dataclass(frozen=True)
class ChoiceAudit:
    """One choice (all statements of one address), or a subsampled plate.

    Attributes:
        address: its address.
        estimator: the estimator in use, as text; "subsampling" for a plate.
        reason: why this one.
        variance: total effect: the variance of the gradient that is left when all other randomness is known. None if
            one draw carries too much of it to tell.
        variance_share: the same as a share of the variance of the gradient. Shares add up to more than 1 where choices
            interact.
        cost_share: share of the seconds that an estimator of one value would save; 0 for one of one value, None where
            no such estimator serves.
        num_evaluations: how many times the costliest of its terms is evaluated.
        bias: whether the mean gradient is right; None for a plate.
        alternatives: the other estimators.
        recommendation: the estimator to use in its place, or None to keep it.
        efficiency: of the recommendation, relative to the present: variance times seconds.
        remark: what else is to say.
        source: the user's line.
    """

    address: str
    estimator: str
    reason: str
    variance: float | None
    variance_share: float | None
    cost_share: float | None = None
    num_evaluations: int = 1
    bias: Bias | None = None
    alternatives: tuple[Alternative, ...] = ()
    recommendation: Estimator | None = None
    efficiency: float | None = None
    remark: str = ""
    source: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found. Printing it shows a table.

    Attributes:
        name: of the expectation.
        choices: a `ChoiceAudit` for every choice, in program order.
        value: mean value.
        value_se: its standard error.
        gradient: mean gradient: a dict from leaf, such as `args[1].loc`, to array.
        variance: of one gradient, summed over its elements.
        variance_by_leaf: the same for every leaf.
        largest_share: share of the squares that one draw carries; above 0.05 the variance means little.
        seconds: of one gradient.
        num_draws: how many gradients this is taken from.
    """

    name: str
    choices: tuple[ChoiceAudit, ...]
    value: float
    value_se: float
    gradient: dict[str, np.ndarray]
    variance: float
    variance_by_leaf: dict[str, float]
    largest_share: float
    seconds: float
    num_draws: int

    @property
    def recommendations(self) -> dict[str, Estimator]:
        """The recommended changes, as `expectation.with_estimators` takes them."""
        return {c.address: c.recommendation for c in self.choices if c.recommendation is not None}

    def __getitem__(self, address: str) -> ChoiceAudit:
        return {c.address: c for c in self.choices}[address]

    def __repr__(self):
        return table.as_text(self)

    def _repr_html_(self):
        return table.as_html(self)
