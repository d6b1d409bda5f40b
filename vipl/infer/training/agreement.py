"""Whether fitted guides say the same, told from their draws, whatever their parameters mean."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

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


def drift_of(before: Program, after: Program, key) -> Drift | None:
    """Return how far a guide has moved, by draws from the same noise; None of guides too large to draw."""
    one, two = _draws_of(before, key, 0), _draws_of(after, key, 0)
    if one is None or two is None:
        return None
    worst = Drift("", 0.0)
    for address in one:
        some = (one[address].std(0) > 0) & (two[address].std(0) > 0)  # a point has no spread to measure by
        one[address], two[address] = one[address][:, some], two[address][:, some]
        spreads = [draws.std(0) for draws in (one[address], two[address])]
        spread = np.maximum(*spreads)
        moved = np.abs(one[address].mean(0) - two[address].mean(0)) / spread
        widened = np.abs(np.log(spreads[0] / spreads[1]))
        size = float(max(moved.max(initial=0.0), widened.max(initial=0.0)))
        if size > worst.size:
            worst = Drift(address, size)
    return worst


def _draws_of(guide: Program, key, number: int) -> dict | None:
    if sum(int(np.prod(group[0].full_shape)) for group in survey(guide).latents.values()) > _LARGEST:
        return None
    keys = jax.random.split(jax.random.fold_in(key, number), _DRAWS)
    draws = jax.tree.map(gathered, _draw(guide, keys))
    return {name: values.reshape(_DRAWS, -1).astype(float) for name, values in draws.items()}


@jax.jit
def _draw(guide, keys):
    return jax.vmap(lambda key: dict(simulate(guide, key).choices))(keys)
