"""`SumAndSample`: the likeliest values exactly, and one draw for the rest."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.finite.table import MOST_ROWS, fits, table_of, unserved


class SumAndSample(Estimator):
    """Sum over the C likeliest values, weighted by their probabilities, and draw one of the others for all of these.

    The weight of the draw is the probability that is left, times exp(ℓ − stop_gradient(ℓ)) with the log probability ℓ
    of the draw among the others. Prefer it where a few of many categories have nearly all the probability: then it is
    nearly `Enumerate`, at C + 1 evaluations. Right at every order.

    Args:
        num_summed: C, at least 1. With one less than the number of values, or more, it is exact.

    Requirements: a finite support; where the objective mixes elements, at most 4096 combinations of theirs.

    Raises:
        EstimatorError: another distribution; more combinations.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"k": estimators.SumAndSample(2)})
        ... def index(logits):
        ...     return vipl.sample("k", dist.Categorical(logits=logits)) * 1.0
        >>> index(jax.random.key(0), jax.numpy.array([3.0, 2.0, -9.0, -9.0])).shape
        ()

    Source: Liu et al. 2019, arXiv 1810.04777, eq. 5; Liang et al. 2018.
    """

    def __init__(self, num_summed: int = 1):
        if not isinstance(num_summed, int) or num_summed < 1:
            raise ValueError(f"num_summed is {num_summed!r}; at least 1 value is summed.")
        self.num_summed = num_summed

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the likeliest values and a draw of the others."""
        table = table_of(distribution, joint_axes)
        count = min(self.num_summed, len(table.values) - 1)
        order = jnp.argsort(lax.stop_gradient(table.log_probs), axis=0, descending=True)
        log_probs = jnp.take_along_axis(table.log_probs, order, axis=0)
        others = log_probs[count:]
        last = jax.random.categorical(key, lax.stop_gradient(others), axis=0)[None]
        drawn = jnp.take_along_axis(others, last, axis=0)
        possible = jnp.isfinite(lax.stop_gradient(drawn))  # else nothing is left for the others
        left = jnp.where(possible, jax.nn.logsumexp(jnp.where(possible, others, 0.0), axis=0, keepdims=True), 0.0)
        within = jnp.where(possible, drawn, 0.0) - left
        weight = jnp.where(possible, jnp.exp(left + within - lax.stop_gradient(within)), 0.0)
        which = jnp.concatenate([order[:count], jnp.take_along_axis(order, count + last, axis=0)])
        return WeightedSamples(table.chosen(which), jnp.concatenate([jnp.exp(log_probs[:count]), weight]))

    def allows(self, statement, joint_sizes) -> bool:
        """Return whether the combinations of all mixed elements can be looked through."""
        return fits(statement, joint_sizes, MOST_ROWS)

    def refusal(self, statement) -> str | None:
        """Return why a site has no finite support, or None."""
        return unserved(statement)
