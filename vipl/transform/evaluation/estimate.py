"""One unbiased estimate from a plan."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from vipl.transform.evaluation.credits import credits_of, left_out
from vipl.transform.evaluation.evaluate import Evaluation
from vipl.transform.evaluation.terms import collapse
from vipl.transform.evaluation.weights import close_auxiliary, expected


class Estimate(NamedTuple):
    """One estimate.

    Attributes:
        result: of the objective program, its first array an unbiased estimate.
        credits: `{address: costs}`, as in `Expectation.value_and_credits`; empty if they are not asked for.
    """

    result: Any
    credits: dict


def evaluate(plan, key):
    """Return the result of one run of a planned objective: an unbiased estimate, and its auxiliary if it has one."""
    return estimate(plan, key).result


def estimate(plan, key, *, others: str | None = None, with_credits: bool = False) -> Estimate:
    """Run a planned objective once.

    Args:
        plan: the Plan.
        key: a typed key.
        others: the name of a mapped axis of independent estimates, if this is one of them.
        with_credits: whether to return what the choices are credited with.
    """
    evaluation = Evaluation(plan, plan.draw_noise(key))
    value, *auxiliary = evaluation.run(plan.staged.jaxpr, plan.staged.consts, [])
    terms, weights = (*value, *evaluation.controls), evaluation.weights
    total = expected(terms, weights) if plan.has_weights else collapse(value).array
    compared = plan.compared if others is not None else ()
    wanted = plan.credited if with_credits else compared
    credits = credits_of(terms, weights, [choice for choice in wanted if choice in weights])
    for choice in compared:
        if choice in weights:
            total = total + left_out(credits[choice], weights[choice], others)  # pyright: ignore[reportArgumentType]
    arrays = [collapse(close_auxiliary(other, weights)).array for other in auxiliary]
    named: dict[str, list[jax.Array]] = {}
    for choice, costs in credits.items() if with_credits else ():
        named.setdefault(plan.located(choice).statement.address, []).append(costs)
    one = {address: found[0] if len(found) == 1 else tuple(found) for address, found in named.items()}
    return Estimate(plan.staged.out.fill([total, *arrays]), one)
