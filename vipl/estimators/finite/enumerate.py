"""`Enumerate`: the whole support, exactly."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.finite.table import MOST_ROWS, fits, table_of, unserved


class Enumerate(Estimator):
    """Sum over the support: every value, weighted by its probability. Exact, without variance.

    In a plate whose elements the objective treats separately it costs one evaluation for each support point,
    however large the plate. Where the objective mixes the elements, it needs every combination.

    Args:
        max_size: how many combinations are allowed before it refuses.

    Requirements: a finite support.

    Raises:
        EstimatorError: the support is not finite, or has more than `max_size` combinations.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def heads(p):
        ...     return 3.0 * vipl.sample("x", dist.Bernoulli(p), estimator=estimators.Enumerate())
        >>> round(float(jax.grad(heads, argnums=1)(jax.random.key(0), 0.5)), 4)
        3.0

    Source: Lew et al. 2023 (ADEV), POPL, §4; the sum is exact by definition.
    """

    exact = True
    fixed = True

    def __init__(self, max_size: int = MOST_ROWS):
        self.max_size = max_size

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the support, and the probabilities of its points."""
        del key
        table = table_of(distribution, joint_axes)
        return WeightedSamples(table.values, jnp.exp(table.log_probs))

    def allows(self, statement, joint_sizes) -> bool:
        """Return whether the combinations of all mixed elements are at most `max_size`."""
        return fits(statement, joint_sizes, self.max_size)

    def refusal(self, statement) -> str | None:
        """Return why a site cannot be enumerated, or None."""
        return unserved(statement)
