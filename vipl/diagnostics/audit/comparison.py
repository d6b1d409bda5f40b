"""How the mean gradients of two variants differ in the same draws, in standard errors."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl.diagnostics.audit.draws import Draws

SUSPICIOUS = 0.01  # probability of looking twice for nothing
POWER = 1.28  # standard deviations above the threshold that are seen nine times in ten
_FLIPS = 2000


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How the mean gradients of two variants differ in the same draws.

    Attributes:
        difference: of the mean gradients, `(dimension,)`.
        scores: the difference in standard errors, `(dimension,)`.
        value_score: likewise of the values.
        errors: standard errors, `(dimension,)`.
        p_length: p-value of the length of the difference.
        reference_length: length of the reference's mean gradient, noise taken out.
        num_chunks: over how many chunks.
    """

    difference: np.ndarray
    scores: np.ndarray
    value_score: float
    errors: np.ndarray
    p_length: float
    reference_length: float
    num_chunks: int

    @property
    def is_suspicious(self) -> bool:
        """Whether to look twice."""
        worst = max(np.abs(self.scores).max(initial=0.0), abs(self.value_score))
        return worst > quantile(SUSPICIOUS / (self.scores.size + 1), self.num_chunks) or self.p_length < SUSPICIOUS / 2

    @property
    def visible(self) -> float:
        """The shortest bias that would have been seen nine times in ten.

        A bias longer than z times the length of the vector of standard errors exceeds z of them in some element.
        """
        threshold = quantile(SUSPICIOUS / (self.scores.size + 1), self.num_chunks)
        return (threshold + POWER) * float(np.linalg.norm(self.errors))


def compare(draws: Draws, reference: Draws) -> Comparison:
    """Return how two variants differ, that were drawn with the same keys."""
    centres = draws.flat_centre - reference.flat_centre
    differences = draws.chunk_means - reference.chunk_means + centres
    mean, count = differences.mean(axis=0), len(differences)
    floor = rounding(draws) + rounding(reference)
    errors = np.hypot(differences.std(axis=0, ddof=1) / np.sqrt(count), floor)
    values = draws.chunk_values - reference.chunk_values
    return Comparison(
        mean,
        mean / np.where(errors > 0, errors, 1.0),  # both are exactly zero where there is no error
        score(values, rounding_of_values(draws) + rounding_of_values(reference)),
        errors,
        _p_of_length(differences, floor),
        length_beyond_noise(reference.chunk_means + reference.flat_centre),
        count,
    )


def confirm(draws: Draws, reference: Draws, found: Comparison) -> tuple[float, float]:
    """Return the largest score along the directions that were found, and its p-value, for all of them together."""
    differences = draws.chunk_means - reference.chunk_means + draws.flat_centre - reference.flat_centre
    floor = rounding(draws) + rounding(reference)
    worst = int(np.abs(found.scores).argmax())
    direction = found.difference / max(np.linalg.norm(found.difference), 1e-300)
    scores = [
        score(differences @ direction, float(np.linalg.norm(floor * direction))),
        score(differences[:, worst], floor[worst]),
        score(draws.chunk_values - reference.chunk_values, rounding_of_values(draws) + rounding_of_values(reference)),
    ]
    largest = max(scores, key=abs)
    return largest, p_value(largest, len(differences)) * len(scores)


def score(chunks: np.ndarray, floor: float) -> float:
    """Return a mean in standard errors, none smaller than rounding."""
    error = np.hypot(chunks.std(ddof=1) / np.sqrt(len(chunks)), floor)
    return float(chunks.mean() / error) if error > 0 else 0.0


def length_beyond_noise(chunks: np.ndarray) -> float:
    """Return the length of the mean of chunks, noise taken out; 0 where it is not told from zero."""
    square, noise = np.sum(chunks.mean(axis=0) ** 2), chunks.var(axis=0, ddof=1).sum() / len(chunks)
    return float(np.sqrt(square - noise)) if square > 4 * noise else 0.0


def p_value(z: float, num_chunks: int) -> float:
    """Return the two-sided p-value of a score over chunks."""
    from scipy.special import stdtr

    return float(2 * stdtr(num_chunks - 1, -abs(z)))


def quantile(p: float, num_chunks: int) -> float:
    """Return the score that is exceeded, on either side, with probability p."""
    from scipy.special import stdtrit

    return float(-stdtrit(num_chunks - 1, p / 2))


def rounding(draws: Draws) -> np.ndarray:
    """Return how much of each element of a mean gradient may be rounding."""
    sizes = np.array([np.size(c) for c in draws.centre])
    typical = np.sqrt((draws.variances + draws.by_leaf(draws.mean)) / np.maximum(sizes, 1))
    return 64 * np.finfo(draws.values[0].dtype).eps * (np.repeat(typical, sizes) + np.abs(draws.mean))


def rounding_of_values(draws: Draws) -> float:
    """Return how much of a mean value may be rounding."""
    values = np.concatenate(draws.values).astype(np.float64)
    return 64 * np.finfo(draws.values[0].dtype).eps * float(np.sqrt(np.mean(values**2)))


def _p_of_length(differences: np.ndarray, floor: np.ndarray) -> float:
    """Return the p-value of the length of the mean of chunks, when their signs are flipped at random."""
    gram = differences @ differences.T
    count = len(gram)
    if gram.sum() / count**2 <= np.sum(floor**2):
        return 1.0
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (_FLIPS, count))
    flipped = np.einsum("si,ij,sj->s", signs, gram, signs)
    return float((1 + np.sum(flipped >= gram.sum() * (1 - 1e-12))) / (1 + _FLIPS))
