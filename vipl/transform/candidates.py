"""Which estimators may serve a choice: what the user asked for, checked, or what `Auto` would try."""

from __future__ import annotations

import fnmatch

from vipl._core.errors import AddressError, EstimatorError, did_you_mean
from vipl._core.interpreter import Located
from vipl.estimators import Auto, Estimator, Reparam
from vipl.lang.improper import refuse_draw


def check_overrides(overrides, addresses, where) -> None:
    """Refuse an override that matches no choice."""
    for pattern, _ in overrides:
        if not any(fnmatch.fnmatchcase(address, pattern) for address in addresses):
            raise AddressError(
                f"estimators names {pattern!r}, which matches no choice." + did_you_mean(pattern, addresses),
                where=where,
                fix='an address or a glob such as "z*"; print(objective.explain(…)) lists the choices',
            )


def asked_for(located: Located, overrides) -> Estimator:
    """Return the estimator that the user asked for."""
    statement = located.statement
    estimator = statement.estimator or Auto()
    for pattern, override in (*located.estimators, *overrides):
        if fnmatch.fnmatchcase(statement.address, pattern):
            estimator = override
    if not isinstance(estimator, Estimator):
        raise EstimatorError(
            f"site {statement.address!r} got {estimator!r} as its estimator.",
            where=statement,
            fix="an instance of vipl.estimators.Estimator, such as estimators.Reparam()",
        )
    return estimator


def candidates_for(located: Located, estimator: Estimator) -> list[Estimator]:
    """Return the estimators to try for a choice, best first."""
    statement = located.statement
    refuse_draw(statement)
    if statement.censored:
        raise EstimatorError(
            f"site {statement.address!r} is drawn from {statement.distribution_name}, whose density is that of an "
            "observation and not of its draws.",
            where=statement,
            fix="obs=… at a censored site; a choice is drawn from the distribution that is censored",
        )
    candidates = estimator.candidates(statement) if isinstance(estimator, Auto) else [estimator]
    for candidate in candidates:
        reason = candidate.refusal(statement) or _unfit_inside(candidate, located)
        if reason is not None:
            raise EstimatorError(
                f"{type(candidate).__name__} cannot serve site {statement.address!r}: {reason}.",
                where=statement,
                fix="another estimator: Reparam for differentiable samplers, Enumerate for finite supports, "
                "ScoreFunction where the support does not move; or sum the site out of the program",
            )
    return candidates


def _unfit_inside(estimator: Estimator, located: Located) -> str | None:
    if located.loop is not None and not isinstance(estimator, Reparam):
        return "it is inside a while_loop, which runs an unknown number of times"
    return None
