"""The modes of a posterior: a normal approximation around each that is found from random points."""

from __future__ import annotations

import numpy as np

from vipl.guides.start.normal import Mode, Normal
from vipl.guides.start.target import Target

_DRAWS = 64  # for the evidence of each
_APART = 3.0  # standard deviations between the means of two modes, at least
_WEIGHTLESS = 10.0  # in nats: what has so much less evidence than the best does not count


def distinct_modes(target: Target, normals: list[Normal], random: np.random.Generator) -> list[Mode]:
    """Return the modes among normal approximations, that of the most evidence first."""
    found = [Mode(normal, log_evidence(target, normal, random)) for normal in normals]
    found.sort(key=lambda mode: -mode.log_evidence)
    distinct: list[Mode] = []
    for mode in found:
        counts = np.isfinite(mode.log_evidence) and mode.log_evidence > found[0].log_evidence - _WEIGHTLESS
        if counts and all(apart(mode.normal, other.normal) for other in distinct):
            distinct.append(mode)
    return distinct


def between_all(modes: list[Mode]) -> Normal:
    """Return the normal distribution that has the mean of all modes, and the covariance that there is within one.

    In its coordinates each mode has a spread of about one, however far apart they are, so that a training of components
    has the same pace as that of one.
    """
    if len(modes) == 1:
        return modes[0].normal
    evidence = np.array([mode.log_evidence for mode in modes])
    weights = np.exp(evidence - np.logaddexp.reduce(evidence))
    means = np.stack([mode.normal.mean for mode in modes])
    return Normal.of(weights @ means, np.tensordot(weights, [mode.normal.covariance for mode in modes], 1))


def log_evidence(target: Target, normal: Normal, random: np.random.Generator) -> float:
    """Return the log of the integral of the density where a normal distribution is, in nats, by importance weights."""
    return log_mean_exp(log_weights_of(target, normal, random.standard_normal((_DRAWS, len(normal.mean)))))


def bound(target: Target, normal: Normal, noise: np.ndarray) -> float:
    """Return the evidence lower bound of a normal distribution by some noise, in nats; -inf where not finite."""
    return float(np.mean(log_weights_of(target, normal, noise)))


def log_mean_exp(values: np.ndarray) -> float:
    """Return the log of the mean of exponentials; -inf where all of them are zero."""
    return float(np.logaddexp.reduce(values) - np.log(len(values)))


def log_weights_of(target: Target, normal: Normal, noise: np.ndarray) -> np.ndarray:
    """Return the log weights of what noise `(n, d)` is pushed to, `(n,)` in nats; -inf where they are not finite."""
    log_weights = target.at(normal.push(noise))[0] - normal.log_prob_of_noise(noise)
    return np.where(np.isfinite(log_weights), log_weights, -np.inf)


def apart(one: Normal, other: Normal) -> bool:
    """Return whether two normal distributions are of two modes."""
    away = one.mean - other.mean
    return min(float(np.linalg.norm(np.linalg.solve(normal.scale, away))) for normal in (one, other)) > _APART
