"""`UnorderedSet`: several different values, drawn without replacement."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.finite.table import MOST_ROWS, fits, table_of, unserved

_MOST = 6


class UnorderedSet(Estimator):
    """Draw K different values; weight each by its probability and a ratio that makes up for the choice of the set.

    Weights p(s) R(S, s), with R(S, s) = p(S | s came first) / p(S); their derivatives have a built-in baseline, made
    from the same K costs. Prefer it to `LeaveOneOut` for categories: no cost is evaluated twice, and for K = the number
    of values it is exact. Cost: K evaluations, and 2^K small sums. Right at every order.

    Args:
        num_samples: K, from 2 to 6; at most the number of values is used.

    Requirements: a finite support; where the objective mixes elements, at most 4096 combinations of theirs.

    Raises:
        EstimatorError: another distribution; more combinations.

    Example:
        >>> from vipl import estimators
        >>> estimators.UnorderedSet(3)
        UnorderedSet(num_samples=3)

    Source: Kool, van Hoof and Welling 2020, arXiv 2002.06043, eqs. 9, 12 and 17.
    """

    def __init__(self, num_samples: int = 2):
        if not isinstance(num_samples, int) or not 2 <= num_samples <= _MOST:
            raise ValueError(f"num_samples is {num_samples!r}; a set is of 2 to {_MOST} values.")
        self.num_samples = num_samples

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the set and its weights."""
        table = table_of(distribution, joint_axes)
        count = min(self.num_samples, len(table.values))
        fixed = lax.stop_gradient(table.log_probs)
        order = jnp.argsort(fixed + jax.random.gumbel(key, fixed.shape, fixed.dtype), axis=0, descending=True)
        probs = jnp.exp(jnp.take_along_axis(table.log_probs, order, axis=0))
        p = jnp.maximum(lax.stop_gradient(probs), jnp.finfo(probs.dtype).tiny)
        rest, members = jnp.sum(p[count:], axis=0), frozenset(range(count))
        chance = lambda *gone: _chance(p, rest, members.difference(gone))  # noqa: E731
        ratios = [chance(s) / chance() for s in range(count)]
        weights = [probs[s] * ratios[s] for s in range(count)]
        for s in range(count):  # the baseline of s, made from all costs
            change = (probs[s] - lax.stop_gradient(probs[s])) * ratios[s]
            for t in range(count):
                given = 1.0 if s == t else chance(s, t) / chance(s)
                weights[t] = weights[t] - change * p[t] * given
        return WeightedSamples(table.chosen(order[:count]), jnp.stack(weights))

    def allows(self, statement, joint_sizes) -> bool:
        """Return whether the combinations of all mixed elements can be looked through."""
        return fits(statement, joint_sizes, MOST_ROWS)

    def refusal(self, statement) -> str | None:
        """Return why a site has no finite support, or None."""
        return unserved(statement)


def _chance(p, rest, members: frozenset):
    """Return the probability that the first values drawn are these, in any order, among them and the `rest`.

    Args:
        p: probabilities, `(num_values, *batch)`; they need not sum to one.
        rest: the sum of all others that are there to be drawn.
        members: which values.
    """
    chances: dict[frozenset, Any] = {frozenset(): jnp.ones_like(rest)}
    for size in range(1, len(members) + 1):
        for drawn in map(frozenset, itertools.combinations(sorted(members), size)):
            chances[drawn] = sum(
                chances[drawn - {last}] * p[last] / (rest + sum(p[i] for i in sorted(members - drawn | {last})))
                for last in sorted(drawn)
            )
    return chances[members]
