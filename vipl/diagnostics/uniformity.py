"""Are ranks uniform? Two tests, and the band within which their distribution function stays.

>>> import numpy as np
>>> ranks = np.random.default_rng(0).integers(0, 100, 500)        # uniform over 0, …, 99
>>> bool(ecdf_p_value(ranks, 99) > 0.01), bool(ecdf_p_value(ranks // 2 + 25, 99) < 1e-6)
(True, True)
"""

from __future__ import annotations

import functools

import numpy as np

_POINTS = 100  # at which the distribution function is looked at
_BINS = 20


def chi_square_p_value(ranks, num_draws: int) -> float:
    """Test by counts in up to 20 bins, of at least ten expected ranks each.

    Args:
        ranks: integers from 0 to `num_draws`; `(num_ranks,)`.
        num_draws: the largest rank.

    >>> round(chi_square_p_value(np.arange(100), 99), 3)
    1.0
    """
    from scipy.stats import chisquare

    values = num_draws + 1
    num_bins = int(max(min(values, _BINS, len(ranks) // 10), 2))
    bin_of = np.arange(values) * num_bins // values
    expected = np.bincount(bin_of, minlength=num_bins) * len(ranks) / values
    return float(chisquare(np.bincount(bin_of[np.asarray(ranks)], minlength=num_bins), expected).pvalue)


def ecdf_p_value(ranks, num_draws: int) -> float:
    """Test by the empirical distribution function at 100 points together.

    At each point the count of smaller ranks is binomial; the test statistic is the smallest of the pointwise tail
    probabilities, and its law is computed exactly.

    Args:
        ranks: integers from 0 to `num_draws`; `(num_ranks,)`.
        num_draws: the largest rank.

    Source: Säilynoja, Bürkner and Vehtari 2022, Statistics and Computing 32:32, §3.
    """
    points, law = points_of(num_draws), _law(len(ranks), num_draws)
    counts = np.searchsorted(np.sort(ranks), points, side="left")
    each = np.arange(len(points))
    tails = np.minimum(law.at_most[each, counts], law.at_least[each, counts])
    return float(np.clip(1.0 - law.coverage(2 * tails.min()), 0.0, 1.0))


def ecdf_band(num_ranks: int, num_draws: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest counts at `points_of(num_draws)` of a band that is left with probability alpha.

    >>> low, high = ecdf_band(100, 99, 0.05)
    >>> int(low[49]), int(high[49])                            # of 100 ranks, those below 50
    (36, 64)
    """
    law = _law(num_ranks, num_draws)
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if 1.0 - law.coverage(middle) <= alpha else (low, middle)
    return law.bounds(low)


def points_of(num_draws: int) -> np.ndarray:
    """Return the points, up to 100: how many ranks are smaller than each is what is looked at."""
    return np.unique(np.linspace(1, num_draws, min(num_draws, _POINTS)).astype(int))


class _Law:
    """The joint law of counts of uniform ranks below several points."""

    def __init__(self, num_ranks: int, num_draws: int):
        from scipy.stats import binom

        self.num_ranks, self._shares = num_ranks, points_of(num_draws) / (num_draws + 1)
        counts = np.arange(num_ranks + 1)
        self._log_factorial = np.append(0.0, np.cumsum(np.log(counts[1:])))
        self.at_most = binom.cdf(counts, num_ranks, self._shares[:, None])
        self.at_least = binom.sf(counts - 1, num_ranks, self._shares[:, None])

    def bounds(self, gamma: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest counts whose tails each have more than half of gamma."""
        low = np.argmax(self.at_most > gamma / 2, axis=1)
        return low, self.num_ranks - np.argmax(self.at_least[:, ::-1] > gamma / 2, axis=1)

    def coverage(self, gamma: float) -> float:
        """Return the probability that all counts are within the bounds: a forward pass from point to point."""
        low, high = self.bounds(gamma)
        if np.any(low > high):
            return 0.0
        states, mass, before = np.array([0]), np.array([1.0]), 0.0
        for share, first, last in zip(self._shares, low, high, strict=True):
            after = np.arange(first, last + 1)
            mass = self._step(states, after, (share - before) / (1 - before)) @ mass
            states, before = after, share
        return float(mass.sum())

    def _step(self, states, after, share) -> np.ndarray:
        """Return the probabilities of so many ranks in all, given so many before: binomial, of the rest of them."""
        left, more = self.num_ranks - states, after[:, None] - states
        possible = (more >= 0) & (more <= left)
        more = np.where(possible, more, 0)
        choices = self._log_factorial[left] - self._log_factorial[more] - self._log_factorial[left - more]
        return np.where(possible, np.exp(choices + more * np.log(share) + (left - more) * np.log1p(-share)), 0.0)


_law = functools.lru_cache(maxsize=8)(_Law)
