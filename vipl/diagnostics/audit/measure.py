"""Gradients of several variants, drawn side by side with the same keys, and the seconds that they take."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import VIPLError
from vipl.diagnostics.audit.draws import NUM_CHUNKS, Draws, flat
from vipl.diagnostics.audit.sampling import gradients
from vipl.diagnostics.audit.variant import Variant

_REFUSALS = (VIPLError, TypeError, ValueError, NotImplementedError)


def pilot(variant: Variant, leaves, others, key, size: int) -> Draws:
    """Compile a variant, and find where its gradients lie."""
    for_nothing = [jnp.zeros_like(leaf) for leaf in leaves]
    mean, *_ = jax.block_until_ready(gradients(variant, size, leaves, others, for_nothing, key))
    return Draws(variant, [jnp.where(jnp.isfinite(m), m, 0) for m in mean])


def try_pilot(variant: Variant, leaves, others, key, size: int) -> Draws | str:
    """Compile a variant; returns why not where that fails: some refuse only when a derivative is taken."""
    try:
        return pilot(variant, leaves, others, key, size)
    except _REFUSALS as error:
        return getattr(error, "what", f"{type(error).__name__}: {error}".splitlines()[0])


def draw(several: list[Draws], leaves, others, key, size: int, timer, runs: int = 1) -> None:
    """Draw from several variants in turn, with the same keys, and note the seconds.

    Args:
        several: the variants; the draws are noted here.
        leaves: the differentiated leaves.
        others: the other arrays.
        key: a key.
        size: draws in a run.
        timer: returns seconds.
        runs: how many runs make a chunk.
    """
    for chunk in range(NUM_CHUNKS):
        keys = [jax.random.fold_in(key, chunk * runs + run) for run in range(runs)]
        for draws in several:
            total = 0.0
            for key_run in keys:
                start = timer()
                result = jax.block_until_ready(gradients(draws.variant, size, leaves, others, draws.centre, key_run))
                draws.seconds.append((timer() - start) / size)
                mean, values, squares, sums = jax.device_get(result)
                total = total + flat(mean)
                draws.values.append(np.asarray(values))
                draws.squares.append(np.asarray(squares, dtype=np.float64))
                draws.signed_sums.append(np.asarray(sums, dtype=np.float64))
            draws.means.append(total / runs)


def fresh(draws: Draws) -> Draws:
    """Return the same variant without any draws."""
    return Draws(draws.variant, draws.centre)
