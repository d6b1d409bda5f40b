"""Posterior expectations of functions of a draw, corrected by importance weights."""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import numpy as np

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl._core.static import FunctionKey
from vipl.infer.draws.weighed import Weighed


@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
    """A posterior expectation and its Monte Carlo standard error; `mean, se = estimate` takes them apart.

    Attributes:
        mean: a pytree as the function returns it, of NumPy arrays in float64.
        se: the same, of standard errors.
        effective_sample_size: how many independent draws the weighted ones are worth.
    """

    mean: object
    se: object
    effective_sample_size: float

    def __iter__(self):
        return iter((self.mean, self.se))


class NamedDraw(dict):
    """One draw, by address, that says which addresses there are."""

    def __missing__(self, address):
        raise AddressError(
            f"a draw has no {address!r}." + did_you_mean(str(address), self),
            where=user_source(),
            fix="correct the address",
        )


def expectation(weighed: Weighed, fn, *, corrected: bool) -> Estimate:
    """Average `fn(draw)` over draws, with the smoothed weights or without."""
    fn = FunctionKey(fn)
    found = [jax.tree.map(np.asarray, _apply(draws, fn=fn)) for draws in weighed.draws()]
    values = jax.tree.map(lambda *parts: np.concatenate(parts).astype(np.float64), *found)
    weights = weighed.weights if corrected else np.full(weighed.num_draws, 1 / weighed.num_draws)

    def mean(x):
        return np.tensordot(weights, x, 1)

    def error(x):
        return np.sqrt(np.tensordot(weights**2, (x - mean(x)) ** 2, 1))

    size = 1 / math.fsum(weights**2)
    return Estimate(jax.tree.map(mean, values), jax.tree.map(error, values), size)


@functools.partial(jax.jit, static_argnames="fn")
def _apply(draws, *, fn):
    return jax.vmap(lambda draw: fn(NamedDraw(draw)))(draws)
