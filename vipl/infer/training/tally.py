"""What is kept of the parameters on their way: their average, and the moments of some of them in a window.

Averages of iterates that have come to rest are far nearer to the optimum than the last of them, which jitters with
the noise of the gradient (Polyak and Juditsky 1992). Whether they have come to rest is told from the windows.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

TRACKED = 1000  # numbers among the parameters that are watched
_SMALL = 2**20  # bytes, of an array that may go to the host and back


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Tally:
    """Sums over steps.

    Attributes:
        average: mean of the parameters since `averaged` was zero.
        averaged: over how many steps.
        early: the mean of the steps before those.
        early_steps: over how many steps.
        mean: mean of the tracked numbers in this window.
        square: sum of their squared deviations.
        seen: over how many steps.
    """

    average: Any
    averaged: Any
    early: Any
    early_steps: Any
    mean: Any
    square: Any
    seen: Any

    @classmethod
    def of(cls, params) -> Tally:
        """Return an empty tally."""
        zeros = np.zeros(jax.eval_shape(tracked, params).shape, np.float32)
        return cls(params, np.int32(0), params, np.int32(0), zeros, zeros, np.int32(0))

    def next_window(self) -> Tally:
        """Return it with a new window."""
        return dataclasses.replace(self, mean=_zero(self.mean), square=_zero(self.square), seen=_zero(self.seen))

    def average_anew(self) -> Tally:
        """Return it with a new average, and no early one."""
        return dataclasses.replace(self, averaged=_zero(self.averaged), early_steps=_zero(self.early_steps))

    def second_half(self) -> Tally:
        """Return it with what was averaged so far as the early average, and a new one."""
        early = jax.tree.map(fresh, self.average)  # the memory of either is used by the steps to come
        return dataclasses.replace(self, averaged=_zero(self.averaged), early=early, early_steps=self.averaged)

    @property
    def both(self):
        """The mean of all that was averaged."""
        early, late = np.asarray(self.early_steps, float), np.asarray(self.averaged, float)
        return _mean(self.early, self.average, late / np.maximum(early + late, 1))


def _mean(early, late, share):
    """Return the mean of both, with a share of the later; exactly one of them where the other has none."""

    def mean(first, second):
        weight = share.reshape(share.shape + (1,) * (np.ndim(second) - share.ndim)).astype(second.dtype)
        there = np if _fits_host(second) else jnp
        first, second = there.asarray(first), there.asarray(second)
        return there.where(weight == 1, second, there.where(weight == 0, first, first + weight * (second - first)))

    return jax.tree.map(mean, early, late)


def fresh(leaf):
    """Return a copy of an array, whose memory the steps to come may use."""
    return np.array(leaf) if _fits_host(leaf) else jnp.array(leaf, copy=True)


def _fits_host(leaf) -> bool:
    """Return whether NumPy, which has nothing to compile, is to do what is done with an array once in a fit."""
    special = getattr(leaf, "committed", False) or jnp.issubdtype(leaf.dtype, jax.dtypes.extended)
    return not special and leaf.nbytes <= _SMALL


def _zero(array):
    """Return zeros in the place of an array: if they were elsewhere, the next step would be compiled once more."""
    zeros = np.zeros(array.shape, array.dtype)
    return jax.device_put(zeros, array.sharding) if getattr(array, "committed", False) else zeros


def tracked(params):
    """Return the numbers among the parameters that are watched: all, or evenly spaced ones."""
    leaves = [jnp.ravel(leaf) for leaf in jax.tree.leaves(params)]
    total = sum(leaf.size for leaf in leaves)
    if total == 0:
        return jnp.zeros(0, jnp.float32)
    every = -(-total // TRACKED)
    picked, offset = [], 0
    for leaf in leaves:
        first = -offset % every
        picked.append(leaf[first::every].astype(jnp.float32))
        offset += leaf.size
    return jnp.concatenate(picked)


def count_in(tally: Tally, params) -> Tally:
    """Return the tally after one more step."""
    averaged, seen = tally.averaged + 1, tally.seen + 1
    share = 1 / averaged
    average = jax.tree.map(lambda a, p: a + share.astype(a.dtype) * (p - a), tally.average, params)
    away = tracked(params) - tally.mean
    mean = tally.mean + away / seen
    square = tally.square + away * (tracked(params) - mean)
    return dataclasses.replace(tally, average=average, averaged=averaged, mean=mean, square=square, seen=seen)
