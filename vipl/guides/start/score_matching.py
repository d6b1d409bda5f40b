"""A normal approximation by matching scores: of draws, the gradients of its log density to those of the posterior.

Each round is in closed form and the same in all coordinates, so that no step size is to be found and no scaling of the
model is too bad. On a normal posterior it is exact after few rounds.

Source: Cai et al. 2024, arXiv 2402.14758, "Batch and match", eq. 8 to 12.
"""

from __future__ import annotations

import numpy as np

from vipl.guides.start.normal import Normal
from vipl.guides.start.target import Target


def match_scores(target: Target, normal: Normal, random: np.random.Generator, rounds: int = 60, batch: int = 16):
    """Return the normal distribution after some rounds; as it was where the posterior gives no finite scores."""
    size = len(normal.mean)
    for number in range(rounds):
        noise = random.standard_normal((batch, size))
        log_densities, scores = target.at(normal.push(noise))
        fine = np.isfinite(log_densities) & np.all(np.isfinite(scores), -1)
        if fine.sum() < 2:
            return normal
        matched = _match(normal, noise[fine], scores[fine], batch * size / (number + 1))
        if not np.all(np.isfinite(matched.scale)) or not np.all(np.isfinite(matched.mean)):
            return normal
        normal = matched
    return normal


def _match(normal: Normal, noise, scores, rate) -> Normal:
    """Return the normal that matches the scores at some draws, and stays near the last one, as the rate says.

    All is done in the coordinates in which the last one is standard normal.
    """
    scores = scores @ normal.scale
    ratio = rate / (1 + rate)
    mean_noise, mean_score = noise.mean(0), scores.mean(0)
    around_noise, around_score = noise - mean_noise, scores - mean_score
    spread = np.eye(len(mean_noise)) + rate * around_noise.T @ around_noise / len(noise)
    spread += ratio * np.outer(mean_noise, mean_noise)
    steep = rate * around_score.T @ around_score / len(noise) + ratio * np.outer(mean_score, mean_score)
    root = np.linalg.cholesky(spread)
    inner = np.eye(len(mean_noise)) + 4 * root.T @ steep @ root
    values, vectors = np.linalg.eigh(inner)
    inverse = (vectors * (1 / (1 + np.sqrt(np.maximum(values, 1.0))))) @ vectors.T
    covariance = 2 * root @ inverse @ root.T
    mean = ratio * (covariance @ mean_score + mean_noise)
    return Normal.of(normal.mean + normal.scale @ mean, normal.scale @ covariance @ normal.scale.T)
