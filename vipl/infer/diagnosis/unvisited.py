"""What the weights of a guide cannot see: posterior mass where the guide never draws.

Importance weights look where the guide draws, and at one mode are the same whether or not there are others. So paths
climb from random points, as those that look for coordinates before a fit do, and where one ends at which the guide has
no draw, the mass there is estimated by importance weights of a normal distribution.
"""

from __future__ import annotations

import dataclasses
import functools

import jax
import numpy as np

from vipl._core.errors import VIPLError
from vipl.guides.latents import Latents, latents_of
from vipl.guides.start.find import MAX_STEPS, NUM_PATHS, can_find, random_of, random_starts
from vipl.guides.start.modes import apart, log_mean_exp, log_weights_of
from vipl.guides.start.normal import Normal
from vipl.guides.start.pathfinder import best_on, climb
from vipl.guides.start.target import Target, log_density_at
from vipl.infer.draws.weighed import Weighed
from vipl.tracing.survey import survey

_PATHS = 2 * NUM_PATHS
_DRAWS = 64
_SHARE = 0.01  # of the posterior: a mode of so much mass at six standard deviations has an eighth of the variance


@dataclasses.dataclass(frozen=True)
class Unvisited:
    """Mass that a guide does not reach.

    Attributes:
        share: of the mass of the posterior, from 0 to 1, about.
        name: a scalar that is far from the guide's draws there.
        value: its value there.
    """

    share: float
    name: str
    value: float


def find_unvisited(weighed: Weighed, key) -> Unvisited | None:
    """Look for mass where a guide never draws; None if none is found, or if the weights are bad without it.

    Args:
        weighed: draws of the guide and their weights.
        key: a key.
    """
    if weighed.flaw or weighed.psis.status != "good" or weighed.psis.khat > weighed.psis.threshold:
        return None
    latents = _latents(weighed)
    if latents is None:
        return None
    target, random = Target(weighed.model, latents.together), random_of(key)
    evidence = log_mean_exp(weighed.log_weights)
    log_never = evidence + np.log(weighed.num_draws)  # a log weight that no draw of the guide is expected to have
    masses: list[tuple[float, Normal]] = []
    starts = random_starts(latents.together.size, random, _PATHS // 2)
    for start in np.concatenate([starts, -starts]):  # no direction is left out by chance
        path = climb(target, start, MAX_STEPS)
        end = path.points[-1:]
        if len(end) == 0 or not target.at(end)[0][0] - _log_guide(weighed, target, end)[0] > log_never:
            continue
        found = best_on(target, path, random)
        if found is None or not all(apart(found.normal, other) for _, other in masses):
            continue
        noise = random.standard_normal((_DRAWS, latents.together.size))
        log_masses = log_weights_of(target, found.normal, noise)
        log_density = log_masses + found.normal.log_prob_of_noise(noise)
        with np.errstate(invalid="ignore"):  # neither has a density there
            never = log_density - _log_guide(weighed, target, found.normal.push(noise)) > log_never
        masses.append((log_mean_exp(np.where(never, log_masses, -np.inf)), found.normal))
    if not masses:
        return None
    _, normal = max(masses, key=lambda pair: pair[0])
    total = np.logaddexp.reduce([mass for mass, _ in masses])
    share = float(np.exp(total - np.logaddexp(total, evidence)))
    return Unvisited(share, *_where(weighed, latents, normal)) if share > _SHARE else None


def _latents(weighed: Weighed) -> Latents | None:
    """Return the latent sites of the model, if it and the guide have densities that paths can climb."""
    surveyed, guide = survey(weighed.model), survey(weighed.guide)
    if guide.estimating or set(guide.latents) != set(surveyed.latents):
        return None
    try:
        latents = latents_of(surveyed, "diagnose")
    except VIPLError:  # a site that no coordinates serve
        return None
    return latents if can_find(surveyed, latents) else None


def _log_guide(weighed: Weighed, target: Target, points) -> np.ndarray:
    """Return the log density of the guide at points `(n, d)`, in float64; NaN or -inf where there is none."""
    padded = np.zeros((_DRAWS, points.shape[1]), target.coordinates.dtype)
    padded[: len(points)] = points
    return np.asarray(_guide_log_densities(weighed.guide, padded, target.coordinates), np.float64)[: len(points)]


@functools.partial(jax.jit, static_argnums=2)
def _guide_log_densities(guide, points, coordinates):
    return jax.lax.map(lambda point: log_density_at(guide, coordinates, point), points)


def _where(weighed: Weighed, latents: Latents, normal: Normal) -> tuple[str, float]:
    """Return the scalar that is furthest from the guide's draws at the mean of a normal, by name, and its value."""
    choices, _ = latents.together.constrain(normal.mean.astype(latents.together.dtype))
    moments, position, furthest = weighed.plain_moments, 0, (-1.0, "", 0.0)
    for value in weighed.values:
        mean, sd = (column[position : position + value.size] for column in (moments.mean, moments.sd))
        position += value.size
        if value.address in choices and value.size:
            there = np.ravel(np.asarray(choices[value.address], np.float64))
            away = np.abs(there - mean) / np.maximum(sd, np.finfo(float).tiny)
            worst = int(np.argmax(away))
            furthest = max(furthest, (float(away[worst]), value.name(worst), float(there[worst])))
    return furthest[1:]
