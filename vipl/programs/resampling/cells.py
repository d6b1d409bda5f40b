"""The cumulative sum of weights in whole numbers: N slots of length one, shared out among N cells.

>>> cells = cells_of(jnp.log(jnp.array([0.5, 0.125, 0.375])))
>>> (cells.whole + cells.part / cells.unit).tolist()
[0.0, 1.5, 1.875, 3.0]

Cell i has length N·W_i, the expected number of its offspring. A resampling asks which cell holds a position; its log
probability asks how much of a slot a cell holds. In float32 the two would disagree on where an edge is: at N = 1000 the
edges are 1e-3 apart within a slot, and float32 is good to 6e-5. So an edge is a slot and an integer part of it. Then
sums are exact in any order, edges never decrease, the last one is N, and of all cells exactly those without weight are
empty. Integers have no derivative; `moved` has it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax


class Cells(NamedTuple):
    """Cells along the slots. A position is a slot, and a part of it in units of 1 / `unit`.

    Attributes:
        whole: the slots that the edges lie in, `(*batch, N + 1)`, from 0 to N.
        part: the parts of these slots, `(*batch, N + 1)`.
        moved: zeros, `(*batch, N)`, with the derivatives of the lengths of the cells.
        weighted: whether a cell has a weight, `(*batch, N)`.
    """

    whole: jax.Array
    part: jax.Array
    moved: jax.Array
    weighted: jax.Array

    @property
    def size(self) -> int:
        """The number of cells, and of slots."""
        return self.moved.shape[-1]

    @property
    def unit(self) -> int:
        """Into how many parts a slot is divided."""
        return 4 ** _limb(self.moved)

    def parts(self, key, shape):
        """Draw uniform parts of a slot: integers from 0 to `unit` − 1."""
        bits = jnp.iinfo(self.part.dtype).bits
        words = jax.random.bits(key, shape, jnp.dtype(f"uint{bits}"))
        return (words >> (bits - 2 * _limb(self.moved))).astype(self.part.dtype)

    def holding(self, slot, part):
        """Return which cells hold positions, `(*sample, *batch, positions)`, by bisection of the edges."""
        return _bisect(self.whole, self.part, *jnp.broadcast_arrays(slot, part))

    def within(self, slot, cell):
        """Return the part of slots that cells hold, from where to where, in units; they may end before they begin."""
        begin, end = (
            jnp.clip(pick(self.whole, edge) - slot, -2, 2).astype(self.part.dtype) * self.unit + pick(self.part, edge)
            for edge in (cell, cell + 1)
        )
        return jnp.maximum(begin, 0), jnp.minimum(end, self.unit)

    def log_length(self, units, moved):
        """Return the log of a length below one slot, or −inf for one below zero; `moved` has its derivative.

        A length of zero up to what another order of float operations explains counts as one unit.
        """
        slack = max(2, int(self.size * float(jnp.finfo(moved.dtype).eps) * self.unit))
        length = jnp.where(units > 0, units.astype(moved.dtype) / self.unit + moved, 1 / self.unit)
        return jnp.where(units > -slack, jnp.log(length), -jnp.inf)

    def log_cell(self, cell):
        """Return the log lengths of cells, `(*sample, *batch, cells)`; of an empty one 0."""
        whole, part = (pick(edges, cell + 1) - pick(edges, cell) for edges in (self.whole, self.part))
        length = whole.astype(self.moved.dtype) + part.astype(self.moved.dtype) / self.unit
        return jnp.log(jnp.where(length > 0, length + pick(self.moved, cell), 1.0))


@jax.jit
def cells_of(log_weights) -> Cells:
    """Share N slots out in proportion to weights, `(*batch, N)`, given by their logs up to a constant."""
    log_weights = precise(log_weights)
    weights = jnp.exp(log_weights - lax.stop_gradient(jnp.max(log_weights, -1, keepdims=True)))
    lengths = weights.shape[-1] * weights / jnp.sum(weights, -1, keepdims=True)  # equal weights: exactly one each
    constant = lax.stop_gradient(lengths)
    whole, part = _edges(constant, log_weights > -jnp.inf)
    whole, part = (jnp.pad(edges, [*[(0, 0)] * (edges.ndim - 1), (1, 0)]) for edges in (whole, part))
    return Cells(whole, part, lengths - constant, log_weights > -jnp.inf)


def precise(log_weights):
    """Return log weights in single precision at least."""
    return jnp.asarray(log_weights, jnp.promote_types(jnp.result_type(log_weights), jnp.float32))


def pick(values, index):
    """Return the entries at `index`, `(*sample, *batch, entries)`, of the last axis of `values`, `(*batch, size)`."""
    values = jnp.broadcast_to(values, (*index.shape[:-1], values.shape[-1]))
    return jnp.take_along_axis(values, index, axis=-1, mode="clip")


@jax.jit
def _bisect(whole, part, slot, inner):
    last = whole.shape[-1] - 2
    rounds = last.bit_length()

    def halve(i, found):
        ahead = found + (1 << (rounds - 1 - i))
        edge = jnp.minimum(ahead, last)
        edge_slot, edge_part = pick(whole, edge), pick(part, edge)
        passed = (edge_slot < slot) | ((edge_slot == slot) & (edge_part <= inner))
        return jnp.where((ahead <= last) & passed, ahead, found)

    return lax.fori_loop(0, rounds, halve, jnp.zeros(slot.shape, jnp.result_type(int)))


def _limb(lengths) -> int:
    """Return in how many bits a part is summed at a time, such that the sum of N of them does not overflow."""
    most, bits = (24, 62) if lengths.dtype == jnp.float64 else (12, 30)
    return min(most, bits - lengths.shape[-1].bit_length())


def _edges(lengths, weighted):
    """Return the right edges of cells whose lengths sum to N but for rounding: slots and parts."""
    size, limb = lengths.shape[-1], _limb(lengths)
    unit, integer = 4**limb, jnp.int64 if lengths.dtype == jnp.float64 else jnp.int32
    whole = jnp.floor(lengths)
    part = jnp.round((lengths - whole) * unit).astype(integer)
    whole = whole.astype(integer)
    part = jnp.where(weighted & (whole == 0), jnp.maximum(part, 2), part)
    low = jnp.cumsum(part & (2**limb - 1), -1)
    high = jnp.cumsum(part >> limb, -1) + (low >> limb)
    whole = jnp.cumsum(whole, -1) + (high >> limb)
    part = (high & (2**limb - 1)) << limb | (low & (2**limb - 1))
    # spread what the sum has too much or too little, in proportion: no cell shrinks by more than one unit
    excess = ((whole[..., -1:] - size) * unit + part[..., -1:]).astype(lengths.dtype)
    position = whole.astype(lengths.dtype) + part.astype(lengths.dtype) / unit
    part = part - jnp.round(excess * (position / position[..., -1:])).astype(integer)
    return whole + (part >> 2 * limb), part & (unit - 1)
