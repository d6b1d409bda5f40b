"""Tests of uniform ranks: right as often as they say, and not blind."""

import numpy as np
import pytest
from scipy.stats import binom

from vipl.diagnostics.uniformity import chi_square_p_value, ecdf_band, ecdf_p_value, points_of

TESTS = {"ecdf": ecdf_p_value, "chi_square": chi_square_p_value}


@pytest.mark.statistical
@pytest.mark.parametrize("name", TESTS)
def test_p_values_of_uniform_ranks_are_uniform(name):
    random = np.random.default_rng(0)
    found = np.array([TESTS[name](random.integers(0, 100, 150), 99) for _ in range(400)])
    for level in (0.05, 0.2, 0.5):
        error = np.sqrt(level * (1 - level) / 400)
        assert np.mean(found <= level) < level + 4 * error
        assert np.mean(found <= level) > level - 4 * error - 0.1 * level  # counts are whole: a little too careful


@pytest.mark.parametrize("name", TESTS)
def test_ranks_that_are_not_uniform_are_seen(name):
    random = np.random.default_rng(1)
    normal = random.standard_normal(300)
    for guide_scale, shift in ((0.5, 0.0), (2.0, 0.0), (1.0, 0.6)):
        draws = shift + guide_scale * random.standard_normal((99, 300))
        assert TESTS[name](np.sum(draws < normal, axis=0), 99) < 1e-4
    assert TESTS[name](np.sum(random.standard_normal((99, 300)) < normal, axis=0), 99) > 1e-4


def test_the_band_is_left_as_often_as_it_says():
    low, high = ecdf_band(200, 99, 0.1)
    random = np.random.default_rng(2)
    left = 0
    for _ in range(2000):
        counts = np.searchsorted(np.sort(random.integers(0, 100, 200)), points_of(99), side="left")
        left += bool(np.any((counts < low) | (counts > high)))
    assert 0.06 < left / 2000 < 0.125
    # The twin: a band that is right at each point is left too often by all together.
    narrow = binom.interval(0.9, 200, points_of(99) / 100)
    left = 0
    for _ in range(200):
        counts = np.searchsorted(np.sort(random.integers(0, 100, 200)), points_of(99), side="left")
        left += bool(np.any((counts < narrow[0]) | (counts > narrow[1])))
    assert left / 200 > 0.3


def test_few_values_and_few_ranks():
    assert points_of(3).tolist() == [1, 2, 3]
    assert ecdf_p_value(np.array([0, 1, 2, 3] * 10), 3) > 0.5
    assert ecdf_p_value(np.zeros(40, int), 3) < 1e-6
    assert chi_square_p_value(np.zeros(40, int), 3) < 1e-6
