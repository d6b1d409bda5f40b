"""Corrected moments against normal algebra, and their Monte Carlo errors against repetition."""

import numpy as np
import pytest

from vipl.diagnostics import psis
from vipl.diagnostics.moments import corrected_moments

LOC, SCALE = 0.4, 0.9  # of the target; the guide is standard normal


def weighed(random, num_draws=2000):
    x = random.standard_normal((num_draws, 1))
    log_weights = -0.5 * ((x[:, 0] - LOC) / SCALE) ** 2 + 0.5 * x[:, 0] ** 2
    return np.exp(psis(log_weights).log_weights), x


def test_moments_are_those_of_the_target():
    found = corrected_moments(*(lambda w, x: (w, [x]))(*weighed(np.random.default_rng(0), 200_000)))
    np.testing.assert_allclose(found.mean, 0.0, atol=0.01)
    np.testing.assert_allclose(found.corrected_mean, LOC, atol=0.01)
    np.testing.assert_allclose(found.sd, 1.0, atol=0.01)
    np.testing.assert_allclose(found.corrected_sd, SCALE, atol=0.01)
    np.testing.assert_allclose(found.shift, -LOC / SCALE, atol=0.02)
    np.testing.assert_allclose(found.sd_ratio, 1 / SCALE, atol=0.02)


@pytest.mark.statistical
def test_errors_are_those_of_repetition():
    random = np.random.default_rng(1)
    shifts, ratios, unpaired = [], [], []
    for _ in range(400):
        weights, x = weighed(random)
        found = corrected_moments(weights, [x])
        shifts.append((found.shift[0] + LOC / SCALE) / found.shift_se[0])
        ratios.append((found.sd_ratio[0] - 1 / SCALE) / found.sd_ratio_se[0])
        alone = np.sqrt(found.corrected_mean_se[0] ** 2 + found.sd[0] ** 2 / 2000)
        unpaired.append((found.shift[0] + LOC / SCALE) * SCALE / alone)
    for z in (shifts, ratios):
        assert 0.88 < np.std(z) < 1.12
        assert abs(np.mean(z)) < 0.25
    # The twin: errors of two means as if of different draws.
    assert not 0.88 < np.std(unpaired) < 1.12


def test_chunks_make_no_difference():
    weights, x = weighed(np.random.default_rng(2))
    x = np.concatenate([x, 1e6 + 1e-3 * x**2], axis=1)
    whole, cut = corrected_moments(weights, [x]), corrected_moments(weights, [x[:100], x[100:101], x[101:]])
    for name in ("mean", "sd", "corrected_mean", "corrected_sd", "shift", "shift_se", "sd_ratio", "sd_ratio_se"):
        np.testing.assert_allclose(getattr(whole, name), getattr(cut, name), rtol=1e-6)


def test_equal_weights_move_nothing():
    x = np.random.default_rng(3).standard_normal((500, 3))
    found = corrected_moments(np.full(500, 1 / 500), [x])
    for name, value in (("shift", 0), ("shift_se", 0), ("sd_ratio", 1), ("sd_ratio_se", 0)):
        np.testing.assert_allclose(getattr(found, name), value, atol=1e-7)


def test_values_that_do_not_vary_or_are_not_finite():
    weights, x = weighed(np.random.default_rng(4))
    found = corrected_moments(weights, [np.concatenate([0 * x + 0.1, 0 * x, np.where(x > 1, np.inf, x)], axis=1)])
    assert found.constant.tolist() == [True, True, False]
    np.testing.assert_array_equal(found.sd_ratio[:2], 1.0)
    np.testing.assert_array_equal(found.shift[:2], 0.0)
    assert np.isnan(found.shift[2])
    assert found.distance[2] == np.inf
