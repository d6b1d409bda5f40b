"""The trend of a history, also where its steps depend on each other."""

import numpy as np

from vipl.diagnostics.trend import trend


def autocorrelated(random, length, correlation=0.9):
    noise = random.standard_normal(length)
    for t in range(1, length):
        noise[t] += correlation * noise[t - 1]
    return noise


def test_a_level_history_is_level_though_its_steps_are_correlated():
    random = np.random.default_rng(0)
    histories = [autocorrelated(random, 5000) for _ in range(100)]
    assert sum(trend(history).word != "level" for history in histories) <= 1
    # The twin: a line through the single steps.
    alarms = 0
    for history in histories:
        y, x = history[-1000:], np.arange(1000.0) - 499.5
        slope = x @ y / (x @ x)
        residuals = y - y.mean() - slope * x
        alarms += abs(slope) > 3 * np.sqrt(residuals @ residuals / 998 / (x @ x))
    assert alarms > 20


def test_slopes_are_found_and_named():
    steps = np.arange(5000)
    for slope, word in ((0.01, "still rising"), (-0.01, "falling"), (0.0, "level")):
        found = trend(np.random.default_rng(1).standard_normal(5000) + slope * steps)
        assert found.word == word
        assert abs(found.slope - 1000 * slope) < 4 * found.slope_se
        assert found.num_steps == 1000


def test_a_sure_rise_that_does_not_matter_is_level():
    assert trend(1e-5 * np.arange(5000)).word == "level"


def test_short_and_broken_histories():
    assert trend([]).word == "too short"
    assert trend(np.arange(99.0)).word == "too short"
    assert str(trend(np.arange(99.0))) == "too short"
    history = np.arange(1000.0)
    history[::7] = np.nan
    assert trend(history).word == "still rising"
