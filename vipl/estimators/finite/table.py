"""The points of a finite support with their probabilities, for the estimators of finite supports."""

from __future__ import annotations

import dataclasses
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from vipl.distributions.finite import log_prob_table, support_points
from vipl.distributions.log_prob import log_prob

MOST_ROWS = 4096


@dataclasses.dataclass(frozen=True)
class Table:
    """A finite distribution; where the objective mixes elements, one row for each combination of theirs.

    Attributes:
        values: `(num_rows, *batch_shape, *event_shape)`.
        log_probs: `(num_rows, *batch_shape)`, of size 1 along the axes whose elements are mixed.
    """

    values: jax.Array
    log_probs: jax.Array

    def chosen(self, rows):
        """Return the values in rows that are given element by element, `(num_chosen, *log_probs.shape[1:])`."""
        batch = self.values.shape[1 : self.log_probs.ndim]
        event = self.values.ndim - self.log_probs.ndim
        rows = jnp.broadcast_to(rows, (len(rows), *batch)).reshape(len(rows), *batch, *[1] * event)
        return jnp.take_along_axis(self.values, rows, axis=0)


def table_of(distribution, joint_axes) -> Table:
    """Return the table of a distribution of finite support.

    Args:
        distribution: the distribution of a choice.
        joint_axes: axes of its batch whose elements the objective mixes.
    """
    points, batch_shape = support_points(distribution), distribution.batch_shape
    sizes = [batch_shape[axis] for axis in joint_axes]
    combinations = np.array(list(itertools.product(range(len(points)), repeat=math.prod(sizes))), dtype=int)
    shape = [1] * len(batch_shape)
    for axis, size in zip(joint_axes, sizes, strict=True):
        shape[axis] = size
    which = combinations.reshape(len(combinations), *shape)
    # Looked up, since XLA makes a laid-out 0, 1, 2, … an iota, and does not work out what depends on one.
    values = jnp.broadcast_to(points[which], (len(combinations), *batch_shape, *distribution.event_shape))
    known = None if joint_axes else log_prob_table(distribution)
    log_probs = log_prob(distribution, values, guard=False) if known is None else known
    if joint_axes:
        log_probs = jnp.sum(log_probs, axis=tuple(axis + 1 for axis in joint_axes), keepdims=True)
    return Table(values, log_probs)


def fits(statement, joint_sizes, max_size: int) -> bool:
    """Return whether the combinations of all mixed elements are at most `max_size`."""
    return math.prod(joint_sizes) * math.log(statement.support_size) <= math.log(max_size) + 1e-9


def unserved(statement) -> str | None:
    """Return why a site has no table, or None."""
    return None if statement.support_size is not None else "its support is not finite, or not known statically"
