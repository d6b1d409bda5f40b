"""Every ordered choice without replacement is equally likely: chi-square on pairs and differences."""

import jax
import numpy as np
import pytest
import scipy.stats

from vipl.distributions import subsample
from vipl.distributions.subsample import SORTED_UP_TO, subsample_indices

pytestmark = pytest.mark.statistical
LEVEL = 1e-5  # under every key but one in 100 000 for each test


def draws(size, number, count, seed):
    keys = jax.random.split(jax.random.key(seed), count)
    return np.asarray(jax.jit(jax.vmap(lambda k: subsample_indices(k, size, number)))(keys)).astype(np.int64)


def p_values(indices, size):
    """Return the p-values of the laws that hold for the first two of the indices."""
    first, second = indices[:, 0], indices[:, 1]
    pairs = np.bincount(first * size + second, minlength=size * size).reshape(size, size)
    pairs = pairs[~np.eye(size, dtype=bool)]
    expected = len(indices) / pairs.size
    # few counts per cell: the statistic's own normal limit, with the exact variance of a multinomial
    statistic = np.sum((pairs - expected) ** 2) / expected
    variance = 2 * (pairs.size - 1) * (1 - 1 / len(indices))
    pair = 2 * scipy.stats.norm.sf(abs(statistic - pairs.size + 1) / np.sqrt(variance))
    difference = np.bincount((second - first) % size, minlength=size)[1:]
    marginals = [scipy.stats.chisquare(np.bincount(x, minlength=size)).pvalue for x in (first, second)]
    return [pair, scipy.stats.chisquare(difference).pvalue, *marginals]


@pytest.mark.parametrize("size", [2, 3, 10, SORTED_UP_TO, SORTED_UP_TO + 1, 200, 509])
def test_ordered_pairs_are_uniform(size):
    assert min(p_values(draws(size, 2, 300_000, size), size)) > LEVEL


def test_every_permutation_of_four():
    indices = draws(4, 4, 120_000, 1)
    counts = np.unique(indices @ np.array([64, 16, 4, 1]), return_counts=True)[1]
    assert counts.size == 24
    assert scipy.stats.chisquare(counts).pvalue > LEVEL


def test_a_large_population_is_covered_evenly():
    indices = draws(10**6 + 1, 1024, 300, 7)
    counts = np.bincount((indices * 1000 // (10**6 + 1)).ravel(), minlength=1000)
    assert scipy.stats.chisquare(counts).pvalue > LEVEL
    neighbours = np.diff(np.sort(indices, axis=1), axis=1)  # spacings of a uniform sample are geometric
    limit = 1 - np.exp(-1)
    share = np.mean(neighbours <= 10**6 / 1024)
    assert abs(share - limit) < 4.5 * np.sqrt(limit * (1 - limit) / neighbours.size)


def test_the_check_sees_a_network_of_two_rounds(monkeypatch):
    monkeypatch.setattr(subsample, "ROUNDS", 2)
    assert min(p_values(draws(200, 2, 300_000, 3), 200)) < LEVEL
