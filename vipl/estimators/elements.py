"""A distribution as its independent scalar elements, for estimators that work one element at a time."""

from __future__ import annotations

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

_WRAPPERS = (dist.ExpandedDistribution, dist.Independent)


@dataclasses.dataclass(frozen=True)
class Elements:
    """The elements of a distribution.

    Attributes:
        base: the distribution of an element; its parameters broadcast to `shape`.
        shape: of a draw: `(*batch_shape, *event_shape)`.
        mixed: axes of `shape` along which the objective does not treat the elements separately: joint axes of the
            batch, and all those of the event.
        event_dim: how many axes are of the event.
    """

    base: dist.Distribution
    shape: tuple[int, ...]
    mixed: tuple[int, ...]
    event_dim: int

    def together(self, parts):
        """Return the sum of `(*shape,)` over mixed axes: of size 1 in the batch, gone in the event."""
        parts = jnp.broadcast_to(parts, self.shape)
        batch = len(self.shape) - self.event_dim
        parts = jnp.sum(parts, axis=tuple(range(batch, len(self.shape))))
        return jnp.sum(parts, axis=tuple(axis for axis in self.mixed if axis < batch), keepdims=True)

    @property
    def kept(self) -> tuple[int, ...]:
        """The shape of what `together` returns."""
        batch = self.shape[: len(self.shape) - self.event_dim]
        return tuple(1 if axis in self.mixed else size for axis, size in enumerate(batch))

    @property
    def num_mixed(self) -> int:
        """How many elements are mixed with one another."""
        count = 1
        for axis in self.mixed:
            count *= self.shape[axis]
        return count

    def one_at_a_time(self):
        """Yield masks that choose the elements to change together: all of them, but one at a time where mixed."""
        for index in itertools.product(*(range(self.shape[axis]) for axis in self.mixed)):
            yield self.chosen(index)

    def one_at_random(self, key):
        """Return a mask that chooses one of the elements that are mixed with one another, each as likely."""
        sizes = tuple(self.shape[axis] for axis in self.mixed)
        apart = tuple(size for axis, size in enumerate(self.shape) if axis not in self.mixed)
        which = jax.random.randint(key, apart, 0, self.num_mixed)
        mask = which[..., None] == jnp.arange(self.num_mixed)
        return jnp.moveaxis(mask.reshape(*apart, *sizes), tuple(range(-len(sizes), 0)), self.mixed)

    def chosen(self, index):
        """Return the mask of the elements at an index along the mixed axes."""
        mask = jnp.ones(self.shape, bool)
        for axis, i in zip(self.mixed, index, strict=True):
            ones = [1] * len(self.shape)
            ones[axis] = self.shape[axis]
            mask = mask & (jnp.arange(self.shape[axis]).reshape(ones) == i)
        return mask


def elements_of(distribution, joint_axes=()) -> Elements:
    """Return the elements of a distribution that `Independent` and `expand` may wrap.

    Args:
        distribution: the distribution of a choice.
        joint_axes: axes of its batch whose elements the objective mixes.
    """
    batch, event = distribution.batch_shape, distribution.event_shape
    mixed = (*joint_axes, *range(len(batch), len(batch) + len(event)))
    base = distribution
    while isinstance(base, _WRAPPERS):
        base = base.base_dist
    return Elements(base, (*batch, *event), tuple(mixed), len(event))
