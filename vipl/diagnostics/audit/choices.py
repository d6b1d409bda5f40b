"""The audit of one choice: what to compare it with, what becomes of its alternatives, and which to recommend."""

from __future__ import annotations

import dataclasses

from vipl.diagnostics.audit.alternatives import Candidate
from vipl.diagnostics.audit.bias import judge
from vipl.diagnostics.audit.draws import Draws
from vipl.diagnostics.audit.recommend import best, efficiency
from vipl.diagnostics.audit.report import Alternative, Bias, ChoiceAudit
from vipl.estimators import Enumerate, Estimator, LeaveOneOut, MeasureValued, ScoreFunction

_TRUSTED = (Enumerate, ScoreFunction, MeasureValued)  # the first that serves is compared with
_CONTROLS = (ScoreFunction, LeaveOneOut)


@dataclasses.dataclass(frozen=True)
class Measured:
    """A choice, and what was drawn for it.

    Attributes:
        address: its address.
        estimators: in use.
        present: draws of the expectation as it is.
        candidates: each with its draws, or with why there are none.
    """

    address: str
    estimators: tuple[Estimator, ...]
    present: Draws
    candidates: tuple[tuple[Candidate, Draws | str], ...]

    @property
    def drawn(self) -> list[tuple[Candidate, Draws]]:
        """The candidates that serve."""
        return [(candidate, draws) for candidate, draws in self.candidates if isinstance(draws, Draws)]

    @property
    def is_exact(self) -> bool:
        """Whether every value is summed, which is right by definition."""
        return all(type(estimator) is Enumerate for estimator in self.estimators)

    @property
    def reference(self) -> tuple[Candidate, Draws] | None:
        """The trustworthy alternative."""
        found = [pair for kind in _TRUSTED for pair in self.drawn if type(pair[0].estimator) is kind]
        return found[0] if found else None

    def control(self, *compared: Draws) -> Draws | None:
        """Return another variant that is right and draws the choice."""
        found = [d for c, d in self.drawn if type(c.estimator) in _CONTROLS and not any(d is x for x in compared)]
        return found[0] if found else None


def judge_present(choice: Measured, draw_more) -> Bias | None:
    """Return whether the estimator in use is biased, or None where there is nothing to compare it with."""
    if choice.is_exact:
        return Bias("none", "exact", resolution=0.0, num_draws=choice.present.num_draws)
    if choice.reference is None:
        return None
    candidate, reference = choice.reference
    control = choice.control(choice.present, reference)
    return judge(choice.present, reference, repr(candidate.estimator), draw_more, control)


def conclude(choice: Measured, bias: Bias, draw_more, **fields) -> ChoiceAudit:
    """Return the audit of a choice whose own bias is known.

    Args:
        choice: the choice.
        bias: of the estimator in use.
        draw_more: draws for a confirmation.
        **fields: of the ChoiceAudit.
    """
    alternatives = [_alternative(choice, bias, candidate, draws, draw_more) for candidate, draws in choice.candidates]
    found = best(bias, alternatives)
    return ChoiceAudit(
        choice.address,
        " / ".join(map(repr, choice.estimators)),
        bias=bias,
        alternatives=tuple(alternatives),
        recommendation=found and found.estimator,
        efficiency=found and found.efficiency,
        cost_share=_cost_share(choice),
        **fields,
    )


def _alternative(choice: Measured, bias: Bias, candidate: Candidate, draws: Draws | str, draw_more) -> Alternative:
    if isinstance(draws, str):
        return Alternative(candidate.estimator, refusal=draws)
    known = choice.reference
    if choice.is_exact or known is None:
        name, reference = " / ".join(map(repr, choice.estimators)), choice.present
    else:
        name, reference = repr(known[0].estimator), known[1]
    judged = None
    if reference is not draws:
        judged = judge(draws, reference, name, draw_more, choice.control(draws, reference))
    return Alternative(
        candidate.estimator,
        None,
        draws.variance,
        draws.seconds_per_gradient,
        efficiency(choice.present, draws),
        draws.largest_share,
        judged,
        candidate.suspicion,
    )


def _cost_share(choice: Measured) -> float | None:
    if all(estimator.single for estimator in choice.estimators):
        return 0.0
    single = [draws.seconds_per_gradient for candidate, draws in choice.drawn if candidate.estimator.single]
    if not single:
        return None
    return max(0.0, 1 - min(single) / max(choice.present.seconds_per_gradient, 1e-12))
