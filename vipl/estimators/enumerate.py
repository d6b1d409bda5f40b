"""`Enumerate`: the whole support, exactly."""

from __future__ import annotations

import itertools
import math

import jax.numpy as jnp
import numpy as np

from vipl.distributions.finite import log_prob_table, support_points
from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples


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

    def __init__(self, max_size: int = 4096):
        self.max_size = max_size

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the support, and the probabilities of its points."""
        del key
        points = support_points(distribution)
        batch_shape = distribution.batch_shape
        event_shape = distribution.event_shape
        joint_sizes = [batch_shape[axis] for axis in joint_axes]
        count = int(np.prod(joint_sizes, dtype=int)) if joint_axes else 1
        combinations = np.array(list(itertools.product(range(len(points)), repeat=count)), dtype=int)
        shape = [1] * len(batch_shape)
        for axis, size in zip(joint_axes, joint_sizes, strict=True):
            shape[axis] = size
        which = combinations.reshape(len(combinations), *shape)
        # Looked up, since XLA makes a laid-out 0, 1, 2, … an iota, and does not work out what depends on one.
        values = jnp.broadcast_to(points[which], (len(combinations), *batch_shape, *event_shape))
        table = None if joint_axes else log_prob_table(distribution)
        densities = log_prob(distribution, values, guard=False) if table is None else table
        if joint_axes:
            densities = jnp.sum(densities, axis=tuple(axis + 1 for axis in joint_axes), keepdims=True)
        return WeightedSamples(values, jnp.exp(densities))

    def allows(self, statement, joint_sizes) -> bool:
        """Return whether the combinations of all mixed elements are at most `max_size`."""
        count = int(np.prod(joint_sizes, dtype=int))
        return count * math.log(statement.support_size) <= math.log(self.max_size) + 1e-9

    def refusal(self, statement) -> str | None:
        """Return why a site cannot be enumerated, or None."""
        return None if statement.support_size is not None else "its support is not finite, or not known statically"
