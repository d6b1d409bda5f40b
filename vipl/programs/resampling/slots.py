"""Resampling by one uniform position in each slot: what stratified and systematic resampling share."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from vipl.programs.resampling.cells import Cells, cells_of, pick
from vipl.programs.resampling.law import AncestorLaw, ConditionalAncestorLaw


class SlotLaw(AncestorLaw):
    """Base of the laws that draw particle n's parent as the cell of a position in slot n.

    A law says whether all positions are the same part of their slots, `shared`, and `log_pmf(cells, ancestors)`.
    """

    shared: bool
    log_pmf: Any

    def _draw(self, key, shape):
        cells = cells_of(self.log_weights)
        return cells.holding(jnp.arange(cells.size), _parts(self, cells, key, shape))

    def _log_pmf(self, value):
        return self.log_pmf(cells_of(self.log_weights), value)


class ConditionalSlotLaw(ConditionalAncestorLaw):
    """Base of the same laws given that a position lies in the cell of a retained particle.

    That position is uniform in the cell. It has its slot, and its part of it, which the other positions share or not.
    """

    shared: bool
    log_pmf: Any

    def _draw(self, key, shape):
        cells = cells_of(self.log_weights)
        slots = jnp.arange(cells.size)
        key_slot, key_part, key_others = jax.random.split(key, 3)
        begin, end = cells.within(slots, jnp.broadcast_to(self.retained, shape)[..., None] + 0 * slots)
        length = jnp.maximum(end - begin, 0)
        slot = jax.random.categorical(key_slot, jnp.log(length.astype(cells.moved.dtype)))[..., None]
        most = jnp.maximum(pick(length, slot), 1)
        part = pick(begin, slot) + jax.random.randint(key_part, most.shape, 0, most, most.dtype)
        if not self.shared:
            part = jnp.where(slots == slot, part, _parts(self, cells, key_others, shape))
        return jnp.concatenate([cells.holding(slots, part), slot.astype(jnp.result_type(int))], -1)

    def _log_pmf(self, value):
        cells = cells_of(self.log_weights)
        retained = jnp.broadcast_to(self.retained, value.shape[:-1])[..., None]
        scored = self.log_pmf(cells, value[..., :-1]) - cells.log_cell(retained)[..., 0]
        return jnp.where(self._consistent(value), scored, -jnp.inf)


def _parts(law, cells: Cells, key, shape):
    return cells.parts(key, (*shape, 1 if law.shared else cells.size)) + jnp.zeros(cells.size, cells.part.dtype)
