"""What each choice is credited with: the costs that its score is multiplied by, element by element.

The estimate is linear in the weight of every element of a choice, so its derivative in that weight is the sum of just
those costs. A baseline estimates this sum from something else than the choice itself.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from vipl.transform.evaluation.terms import Term, Value
from vipl.transform.evaluation.weights import ChoiceWeights, expected


def credits_of(value: Value, weights: dict, choices) -> dict:
    """Return `{choice: costs}`, without derivative, each shaped like the choice's weights.

    Args:
        value: the terms of the objective.
        weights: `ChoiceWeights` by choice.
        choices: those of one value, whose log weights are zero.
    """
    if not choices:
        return {}
    value = tuple(map(_fixed, value))
    weights = {c: dataclasses.replace(w, array=lax.stop_gradient(w.array)) for c, w in weights.items()}

    def estimate(arrays):
        return expected(value, weights | {c: dataclasses.replace(weights[c], array=a) for c, a in arrays.items()})

    return jax.grad(estimate)({choice: weights[choice].array for choice in choices})


def left_out(credits, weights: ChoiceWeights, others: str):
    """Return the control variate of a choice whose baseline is the mean of the costs in the other estimates.

    Args:
        credits: what the choice is credited with in this estimate.
        weights: its log weights.
        others: the name of the mapped axis of estimates.
    """
    count = lax.psum(1, others)
    baseline = (lax.psum(credits, others) - credits) / (count - 1)
    return -jnp.sum(lax.stop_gradient(baseline) * jnp.expm1(weights.array))


def _fixed(term: Term) -> Term:
    own = term.own
    if own is not None:
        own = dataclasses.replace(own, coefficient=lax.stop_gradient(own.coefficient))
    return dataclasses.replace(term, array=lax.stop_gradient(term.array), own=own)
