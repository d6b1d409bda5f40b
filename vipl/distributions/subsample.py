"""A random subset without replacement, at a cost that does not grow with the population.

    indices = subsample_indices(key, 1_000_000, 1024)    # int32 (1024,), all different

The indices are a random permutation of `0..size-1` evaluated only at `0..subsample_size-1`. The permutation
is a Feistel network: write `i` as a cell of an a × b grid, add to one coordinate a keyed hash of the other,
and take turns. Each round is a bijection of the grid whatever the hash; cells beyond `size` are walked on
until they fall inside (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Nothing is sorted
and nothing has length `size`. On small sets a short network is not uniform enough, so those are sorted.
"""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vipl._core.errors import ShapeError

SORTED_UP_TO = 128
"""Populations of at most this size are permuted by sorting random words instead."""

ROUNDS = 5
"""Rounds of both coordinates. Pair frequencies are uniform from three rounds on; two is to be safe."""


def subsample_indices(key, size: int, subsample_size: int, start=0) -> jax.Array:
    """Draw `subsample_size` different indices below `size`, every ordered choice equally likely.

    They are entries `start`, `start + 1`, … of a random permutation, so that one key and several starts go through the
    whole population in turn.

    Args:
        key: a typed PRNG key.
        size: size of the population; static.
        subsample_size: number of indices; static, at most `size`.
        start: where in the permutation they begin; may be traced, at most `size - subsample_size`.

    Returns:
        int32 array of shape `(subsample_size,)`, in random order.

    Raises:
        ShapeError: `subsample_size` is negative or greater than `size`, or `size` does not fit in 31 bits.

    Example:
        >>> indices = subsample_indices(jax.random.key(0), 1_000_000, 4)
        >>> len(set(indices.tolist()))
        4
    """
    size, subsample_size = int(size), int(subsample_size)
    if not 0 <= subsample_size <= size or size >= 2**31:
        raise ShapeError(
            f"cannot draw {subsample_size} indices without replacement from {size}.",
            fix="let 0 <= subsample_size <= size < 2**31",
        )
    if size <= SORTED_UP_TO:
        order = jnp.argsort(jax.random.bits(key, (size,))).astype(jnp.int32)
        return order[:subsample_size] if _is_zero(start) else lax.dynamic_slice(order, (start,), (subsample_size,))
    return _feistel(key, size, subsample_size, start, *_grid(size))


def _is_zero(start) -> bool:
    return isinstance(start, int) and start == 0


@functools.lru_cache(maxsize=1024)
def _grid(size: int) -> tuple[int, int]:
    """Return height and width of an almost square grid with as few cells beyond `size` as can be.

    With few cells to spare hardly any walk is needed, and a walk costs as much as the whole network.
    """
    root = math.isqrt(size - 1) + 1
    heights = np.arange(root // 2 + 1, root + 1)[::-1]
    widths = -(-size // heights)
    best = int(np.argmin(heights * widths))
    return int(heights[best]), int(widths[best])


def _feistel(key, size, subsample_size, first, height, width):
    round_keys = jax.random.bits(key, (ROUNDS, 2), jnp.uint32)

    def permute(cell):
        row, column = cell
        for i in range(ROUNDS):  # unrolled: a scan over five rounds takes five times as long
            row = _wrapped(row + _hash_below(column, round_keys[i, 0], height), height)
            column = _wrapped(column + _hash_below(row, round_keys[i, 1], width), width)
        return row, column

    def outside(cell):
        return cell[0] * width + cell[1] >= size

    def walk(cell):
        moved, out = permute(cell), outside(cell)
        return tuple(jnp.where(out, new, old) for new, old in zip(moved, cell, strict=True))

    start = lax.iota(jnp.uint32, subsample_size)
    if not _is_zero(first):
        start += jnp.asarray(first, jnp.uint32)
    cell = permute((start // width, start % width))
    # also where no cell lies outside: XLA's CPU backend then computes the last rounds twice, and slower
    cell = lax.while_loop(lambda cell: jnp.any(outside(cell)), walk, cell)
    return (cell[0] * width + cell[1]).astype(jnp.int32)


def _wrapped(x, modulus):
    return jnp.where(x >= modulus, x - modulus, x)


def _hash_below(word, key, bound: int):
    """Return a keyed hash of `word`, almost uniform below `bound` (MurmurHash3's finaliser)."""
    word = (word ^ key) * jnp.uint32(0x9E3779B1)
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    word = word ^ (word >> 16)
    # the top 24 bits as a fraction: exact in float32, and no integer division
    scaled = ((word >> 8).astype(jnp.int32).astype(jnp.float32) * (bound / 2**24)).astype(jnp.uint32)
    return jnp.minimum(scaled, bound - 1)
