"""Which choice the variance of the gradient comes from: total effects, by drawing the noise of one choice anew.

Half the mean squared move of the gradient, when only the noise of one choice is renewed, is the mean variance that is
left when everything else is known (Jansen 1999, Comput. Phys. Commun. 117; Saltelli et al. 2010, ibid. 181, table 2,
f). A choice that is summed out has none. The effects of choices that act additively sum to the variance; where choices
interact they sum to more.
"""

from __future__ import annotations

import jax
import numpy as np

from vipl.diagnostics.audit.draws import HEAVY, NUM_CHUNKS, largest_share
from vipl.diagnostics.audit.sampling import renewed
from vipl.diagnostics.audit.variant import Variant


def total_effects(
    variant: Variant, addresses: tuple[str, ...], leaves, others, key, size: int, rounding: float
) -> dict[str, float | None]:
    """Return the total effect of each address on the gradient; None where one draw carries too much.

    Args:
        variant: what is estimated.
        addresses: of choices and subsampled plates.
        leaves: the differentiated leaves.
        others: the other arrays.
        key: a key.
        size: draws in a run.
        rounding: what less is taken for zero.
    """
    if not addresses:
        return {}
    runs = [renewed(variant, addresses, size, leaves, others, jax.random.fold_in(key, i)) for i in range(NUM_CHUNKS)]
    moves = np.concatenate([np.asarray(run, dtype=np.float64) for run in runs])
    return {address: _mean(column, rounding) for address, column in zip(addresses, moves.T, strict=True)}


def _mean(moves: np.ndarray, rounding: float) -> float | None:
    if moves.max() <= rounding:
        return 0.0
    return float(moves.mean()) if np.isfinite(moves).all() and largest_share(moves) <= HEAVY else None
