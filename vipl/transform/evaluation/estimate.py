"""One unbiased estimate from a plan."""

from __future__ import annotations

from vipl.transform.evaluation.evaluate import Evaluation
from vipl.transform.evaluation.terms import collapse
from vipl.transform.evaluation.weights import close_auxiliary, expected


def evaluate(plan, key):
    """Run a planned objective.

    Args:
        plan: the Plan.
        key: a typed key.

    Returns:
        The result of the objective program, its first array an unbiased estimate.
    """
    evaluation = Evaluation(plan, plan.draw_noise(key))
    value, *others = evaluation.run(plan.staged.jaxpr, plan.staged.consts, [])
    terms = (*value, *evaluation.baselines)
    estimate = expected(terms, evaluation.weights) if plan.has_weights else collapse(value).array
    auxiliary = [collapse(close_auxiliary(other, evaluation.weights)).array for other in others]
    return plan.staged.out.fill([estimate, *auxiliary])
