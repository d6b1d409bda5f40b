"""Whether fitted guides say the same, told from their draws, whatever their parameters mean."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from vipl._core.brief import brief_jit
from vipl._core.hosts import gathered
from vipl.lang.program import Program
from vipl.tracing.simulate import simulate
from vipl.tracing.survey import survey

_DRAWS = 500  # of each guide
_LARGEST = 10**5  # latent numbers, beyond which nothing is drawn for this


@dataclasses.dataclass(frozen=True)
class Drift:
    """How far one guide is from another.

    Attributes:
        address: the latent site that moved most.
        size: by how many standard deviations its mean did, or its log standard deviation.
    """

    address: str
    size: float


def agreement(guides: list[Program], key) -> float:
    """Return the largest R-hat among the latent values, by draws of each guide; NaN of guides too large to draw."""
    draws = [found for number, guide in enumerate(guides) if (found := _draws_of(guide, key, number)) is not None]
    if not draws:
        return float("nan")
    worst = 1.0
    for address in draws[0]:
        values = np.stack([of[address] for of in draws])
        within = values.var(1, ddof=1).mean(0)
        between = values.mean(1).var(0, ddof=1) if len(draws) > 1 else np.zeros_like(within)
        apart = np.where(between > 0, between / np.maximum(within, np.finfo(float).tiny), 0.0)
        worst = max(worst, float(np.sqrt(1 + apart.max(initial=0.0))))
    return worst


def drift_of(before: dict, after: dict) -> Drift:
    """Return how far a guide has moved, by the moments of its sites: mean and standard deviation, by address."""
    worst = Drift("", 0.0)
    for address in before:
        (mean, spread), (mean_after, spread_after) = before[address], after[address]
        some = (spread > 0) & (spread_after > 0)  # a point has no spread to measure by
        moved = np.abs(mean_after - mean)[some] / np.maximum(spread, spread_after)[some]
        widened = np.abs(np.log(spread_after[some] / spread[some]))
        size = float(max(moved.max(initial=0.0), widened.max(initial=0.0)))
        if size > worst.size:
            worst = Drift(address, size)
    return worst


def moments_of(guide: Program, key) -> dict | None:
    """Return mean and standard deviation of each site of a guide, by draws; None of one too large to draw."""
    draws = _draws_of(guide, key, 0)
    return None if draws is None else {name: (values.mean(0), values.std(0)) for name, values in draws.items()}


def _draws_of(guide: Program, key, number: int) -> dict | None:
    if sum(int(np.prod(group[0].full_shape)) for group in survey(guide).latents.values()) > _LARGEST:
        return None
    draws = jax.tree.map(gathered, _draw(guide, key, np.uint32(number)))
    return {name: values.reshape(_DRAWS, -1).astype(float) for name, values in draws.items()}


@brief_jit
def _draw(guide, key, number):
    keys = jax.random.split(jax.random.fold_in(key, number), _DRAWS)
    return jax.vmap(lambda key: dict(simulate(guide, key).choices))(keys)
