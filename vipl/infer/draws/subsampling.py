"""What to do about minibatches when a fit is judged: look at all of the data.

Data that were handed over as arrays are taken whole. In a subsampled plate a few blocks cover them: the log density of
a subsample is an estimate, whose noise would drown the log weights, and its mean over blocks of indices that cover
every element equally often is the log density of the whole.
"""

from __future__ import annotations

import math

import numpy as np

from vipl._core.errors import VIPLError
from vipl.lang.program import Program
from vipl.tracing.survey import survey

_TIMES = 4  # how often the blocks may cover the data


def programs_of_all_data(problem, params) -> tuple[Program, Program, bool]:
    """Return model and guide of all data, and whether that is so; else they are of one batch.

    It is not where an iterator makes the batches, or where the model is no model of so many rows.
    """
    data = problem.data
    if data is None:
        return *problem.programs(params), True
    if data.arrays is not None:
        try:
            model, guide = problem.programs(params, data.arrays)
            return survey(model).program, survey(guide).program, True
        except VIPLError:
            pass
    return *problem.programs(params), False


def absent_data(model: Program, guide: Program) -> list[str]:
    """List the latent sites of a model that a guide does not have: sites whose data were not passed to the model."""
    fitted = survey(guide).latents
    return [address for address in survey(model).latents if address not in fitted]


def covering_blocks(model: Program, guide: Program) -> dict[str, np.ndarray] | None:
    """Return blocks of indices `(num_blocks, subsample_size)` for the one subsampled plate of a model, by its name.

    Returns:
        `{}` for a model without such plates; None where there are several, where the guide draws from a plate itself,
        or where the blocks would be too many.
    """
    plates = survey(model).indices
    if not plates:
        return {}
    (name, (located, *others)), *more = plates.items()
    size, length = located.statement.size, math.prod(located.full_shape)
    shared = math.gcd(size, length)
    plain = located.full_shape == located.statement.shape and not others and located.loop is None
    if more or survey(guide).indices or not plain or length > _TIMES * shared:
        return None
    return {name: np.arange(size * length // shared).reshape(-1, length).astype(np.int32) % size}
