"""Which estimators could serve a choice. One that cannot is told so by a plan, and that is data, not an error."""

from __future__ import annotations

import dataclasses
import functools
import glob
import warnings

from vipl._core.errors import BiasWarning, VIPLError
from vipl.estimators import Enumerate, Estimator, LeaveOneOut, MeasureValued, Reparam, ScoreFunction
from vipl.transform import Expectation
from vipl.transform.plan import Plan

_MOST_POINTS = 256  # more values of one choice than that, and measuring takes longer than it can win
CANDIDATES = (
    Reparam(),
    Enumerate(_MOST_POINTS),
    MeasureValued(),
    ScoreFunction(),
    LeaveOneOut(2),
    LeaveOneOut(4),
)
_ONE_OF_ITS_KIND = (Reparam, Enumerate, MeasureValued)


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An estimator in the place of the one in use.

    Attributes:
        estimator: it.
        expectation: the expectation with it; None if it is refused.
        refusal: why it cannot serve.
        suspicion: what a BiasWarning said.
    """

    estimator: Estimator
    expectation: Expectation | None = None
    refusal: str | None = None
    suspicion: str | None = None


def plan_of(expectation: Expectation, args: tuple) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan of an expectation, and what its BiasWarnings say; other warnings go on to the user."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BiasWarning)
        plan = expectation._plan(args, {})
    for warning in caught:
        if not issubclass(warning.category, BiasWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    suspected = (str(w.message) for w in caught if issubclass(w.category, BiasWarning))
    return plan, tuple(dict.fromkeys(suspected))


def in_use(plan: Plan) -> dict[str, tuple[Estimator, ...]]:
    """Return the estimators of every address, in program order."""
    found: dict[str, list] = {}
    for located in plan.random:
        if located.path in plan.estimators:
            estimators = found.setdefault(located.statement.address, [])
            estimator = same_instance(plan.estimators[located.path])
            if estimator not in estimators:
                estimators.append(estimator)
    return {address: tuple(estimators) for address, estimators in found.items()}


def candidates_of(
    address: str, present: dict, expectation: Expectation, args: tuple, known: tuple[str, ...]
) -> list[Candidate]:
    """Return the estimators that could stand in for the present ones of an address.

    All other choices keep the estimators that they have, so that one thing changes only. `known` lists what
    BiasWarnings say already.
    """
    return [
        _candidate(estimator, substitute({address: estimator}, present, expectation), args, known)
        for estimator in CANDIDATES
        if not any(_alike(estimator, other) for other in present[address])
    ]


def substitute(changes: dict, present: dict, expectation: Expectation) -> Expectation:
    """Return the expectation with some estimators changed by address, and all others as they are."""
    kept = {a: estimators[0] for a, estimators in present.items() if len(estimators) == 1 and a not in changes}
    return expectation.with_estimators({glob.escape(a): e for a, e in (kept | changes).items()})


def _candidate(estimator: Estimator, expectation: Expectation, args: tuple, known) -> Candidate:
    try:
        _, suspected = plan_of(expectation, args)
    except VIPLError as error:
        return Candidate(estimator, refusal=error.what)
    return Candidate(estimator, expectation, suspicion="; ".join(s for s in suspected if s not in known) or None)


def _alike(one: Estimator, other: Estimator) -> bool:
    if type(one) is type(other) and isinstance(one, _ONE_OF_ITS_KIND):
        return True
    return one == other


def same_instance(estimator: Estimator) -> Estimator:
    """Return one instance for all that are equal: expectations tell estimators apart by identity."""
    try:
        return _same_instance(estimator)
    except TypeError:  # it holds an array, and cannot be hashed
        return estimator


@functools.lru_cache(maxsize=256)
def _same_instance(estimator):
    return estimator
