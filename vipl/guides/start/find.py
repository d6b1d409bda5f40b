"""The frame in which a guide is trained: coordinates in which the posterior is about standard normal."""

from __future__ import annotations

import jax
import numpy as np

from vipl._core.errors import VIPLError
from vipl.guides.coordinates import Frame
from vipl.guides.latents import Latents
from vipl.guides.start.modes import between_all, bound, distinct_modes
from vipl.guides.start.normal import Mode, Normal
from vipl.guides.start.pathfinder import Found, follow
from vipl.guides.start.score_matching import match_scores
from vipl.guides.start.target import Target
from vipl.lang.program import Program
from vipl.tracing.survey import Survey

NUM_PATHS = 4
MAX_STEPS = 200  # of a path
LARGEST = 300  # coordinates, beyond which matrices of them cost more than they bring
_DRAWS = 64  # for the bound of each
_HALVINGS = 12
_LOWEST = 1e6  # times the log density at zero, in nats: where a path would begin next to nowhere
_RADIUS = 2.0  # paths start where each coordinate is within this of zero, as in Stan


def find_normal(model: Program, latents: Latents, key, *, match_all: bool = True) -> Normal | None:
    """Return a normal approximation of the posterior in unconstrained coordinates; None if no path finds one.

    Args:
        model: a conditioned Program.
        latents: its latent sites, all of them together.
        key: a key.
        match_all: whether the best is chosen after the scores of all are matched; else before, and only its are.
    """
    target, random = Target(model, latents.together), random_of(key)
    found = follow_all(target, latents.together.size, random, NUM_PATHS)
    if not match_all:
        found = sorted(found, key=lambda one: one.elbo)[-1:]
    return max((_matched(target, one, random) for one in found), key=lambda one: one.elbo).normal if found else None


def find_modes(model: Program, latents: Latents, key) -> list[Mode]:
    """Return a normal approximation around each mode that paths from random points find, the best first.

    Args:
        model: a conditioned Program.
        latents: its latent sites, all of them together.
        key: a key.
    """
    target, random = Target(model, latents.together), random_of(key)
    found = follow_all(target, latents.together.size, random, 2 * NUM_PATHS)
    return distinct_modes(target, [_matched(target, one, random).normal for one in found], random)


def follow_all(target: Target, size: int, random, num_paths: int, max_steps: int = MAX_STEPS) -> list[Found]:
    """Return what paths from random points find, of vectors of some size; nothing of those that find nothing."""
    starts = brought_in(target, random_starts(size, random, num_paths))
    paths = [follow(target, start, random, min(max_steps, MAX_STEPS)) for start in starts]
    return [found for found in paths if found is not None]


def _matched(target: Target, found: Found, random: np.random.Generator) -> Found:
    """Return a normal distribution after its scores are matched, if it is the better for it, by its bound."""
    matched = match_scores(target, found.normal, random)
    noise = random.standard_normal((_DRAWS, len(matched.mean)))
    before, after = (bound(target, normal, noise) for normal in (found.normal, matched))
    return Found(matched, after) if after > before else Found(found.normal, before)


def random_starts(size: int, random: np.random.Generator, num_paths: int) -> np.ndarray:
    """Return points from which paths start, `(num_paths, size)`."""
    return random.uniform(-_RADIUS, _RADIUS, (num_paths, size))


def brought_in(target: Target, starts: np.ndarray) -> np.ndarray:
    """Return the starts, those that are next to nowhere moved towards zero, by halves, until they are not.

    A rate that is the exponential of a polynomial is astronomical at most points, or overflows, and not near zero.
    """
    (at_zero,), _ = target.at(np.zeros(starts.shape[1]))
    lowest = -_LOWEST * max(abs(at_zero), 1.0) if np.isfinite(at_zero) else -np.inf
    for _ in range(_HALVINGS):
        values, gradients = target.at(starts)
        nowhere = ~(np.isfinite(values) & np.isfinite(gradients).all(axis=1) & (values > lowest))
        if not nowhere.any():
            break
        starts = np.where(nowhere[:, None], starts / 2, starts)
    return starts


def random_of(key) -> np.random.Generator:
    """Return NumPy's randomness of a key: no stream of JAX's, and nothing to compile."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def can_find(surveyed: Survey, latents: Latents) -> bool:
    """Return whether the log density of a model is a function of coordinates that are few enough."""
    whole = not latents.local and not latents.discrete and not surveyed.indices and not surveyed.estimating
    return whole and 0 < latents.together.size <= LARGEST


def find_frame(surveyed: Survey, model: Program, latents: Latents, kind: str, key) -> Frame | None:
    """Return a frame for a guide family, or None where there is none to be found.

    Args:
        surveyed: the model.
        model: the same, with values of its params.
        latents: its latent sites.
        kind: "diagonal" or "full", of the best mode, or "modes", full and between all modes.
        key: a key.
    """
    if not can_find(surveyed, latents):
        return None
    try:
        if kind == "modes":
            modes = find_modes(model, latents, key)
        else:
            best = find_normal(model, latents, key, match_all=kind == "full")
            modes = [] if best is None else [Mode(best, 0.0)]
    except VIPLError:  # a model that is wrong: the training says so
        modes = []
    if not modes:
        return None
    normal, dtype = between_all(modes), latents.together.dtype
    if kind == "diagonal":  # of independent normals, the best have the conditional spread
        scale = 1 / np.sqrt(np.sum(np.linalg.inv(normal.scale) ** 2, 0))
    else:
        scale = normal.scale
    return Frame(normal.mean.astype(dtype), scale.astype(dtype), tuple(modes))
