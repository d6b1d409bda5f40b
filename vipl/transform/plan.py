"""The plan of an expectation: which estimator serves which choice. Static, made before anything is drawn."""

from __future__ import annotations

import dataclasses
import fnmatch

from vipl._core.errors import AddressError, EstimatorError, did_you_mean
from vipl._core.interpreter import Located
from vipl._core.staging import Staged
from vipl.estimators import Auto, Estimator
from vipl.lang.plate import IndicesStatement
from vipl.lang.sample import SampleStatement


@dataclasses.dataclass(frozen=True)
class Plan:
    """Choices and their estimators.

    Attributes:
        staged: the staged objective.
        estimators: `{path: estimator}` of every choice.
        random: everything that needs noise: choices and subsampled plates.
    """

    staged: Staged
    estimators: dict[tuple[int, ...], Estimator]
    random: list[Located]


def make_plan(staged: Staged, overrides: tuple[tuple[str, Estimator], ...], where) -> Plan:
    """Choose an estimator for every choice of a staged objective.

    Args:
        staged: the objective.
        overrides: pairs of an address, which may be a glob, and an estimator; the last that matches wins.
        where: the user's line.

    Raises:
        EstimatorError: an estimator cannot serve its site.
        AddressError: an override matches nothing.
    """
    choices = [s for s in staged.statements if isinstance(s.statement, SampleStatement) and not s.statement.observed]
    addresses = {s.statement.address for s in choices}
    for pattern, _ in overrides:
        if not any(fnmatch.fnmatchcase(address, pattern) for address in addresses):
            raise AddressError(
                f"with_estimators names {pattern!r}, which matches no choice." + did_you_mean(pattern, addresses),
                where=where,
                fix='an address or a glob such as "z*"; print(objective.explain(…)) lists the choices',
            )
    estimators = {located.path: _estimator_for(located, overrides) for located in choices}
    indices = [s for s in staged.statements if isinstance(s.statement, IndicesStatement)]
    return Plan(staged, estimators, sorted(choices + indices, key=lambda s: s.path))


def _estimator_for(located: Located, overrides) -> Estimator:
    statement = located.statement
    estimator = statement.estimator or Auto()
    for pattern, override in overrides:
        if fnmatch.fnmatchcase(statement.address, pattern):
            estimator = override
    if not isinstance(estimator, Estimator):
        raise EstimatorError(
            f"site {statement.address!r} got {estimator!r} as its estimator.",
            where=statement,
            fix="an instance of vipl.estimators.Estimator, such as estimators.Reparam()",
        )
    if isinstance(estimator, Auto):
        estimator = estimator.resolve(statement)
    reason = estimator.refusal(statement)
    if reason is not None:
        raise EstimatorError(
            f"{type(estimator).__name__} cannot serve site {statement.address!r}: {reason}.",
            where=statement,
            fix="a distribution with a differentiable sampler; or sum the site out of the program",
        )
    return estimator
