"""The plan of a fit: every number of steps is cut into windows, and rates and averages follow what they show."""

import dataclasses

import numpy as np
import pytest

from vipl.guides.coordinates import Frame
from vipl.infer.training.convergence import Window
from vipl.infer.training.plan import WINDOWS, Plan, rates_of

FRAME = Frame(np.zeros(3), np.eye(3))
FEW = [1, 2, 3, 39, 40, 41]


def plan_of(num_steps):
    return Plan(num_steps, rates_of(num_steps, FRAME))


def boundaries(num_steps):
    plan, found = plan_of(num_steps), [0]
    while found[-1] < num_steps:
        found.append(plan.boundary(found[-1]))
    return found


def followed(num_steps, window_of):
    """Return a plan at its end, and the rate of each of its windows; `window_of(number)` is what is seen."""
    plan, rates = plan_of(num_steps), []
    for number, _ in enumerate(boundaries(num_steps)[1:]):
        rates.append(plan.rate())
        plan.look(window_of(number))
    return plan, rates


def resting(number):
    return Window(np.zeros(3), np.ones(3), 25)


def drifting(number):
    return Window(np.full(3, 5.0 * number), np.ones(3), 25)


@pytest.mark.parametrize("numbers", [FEW, range(1, 400), range(400, 10_001, 97), [10_000, 10**6]], ids=str)
def test_windows_cover_every_number_of_steps(numbers):
    for num_steps in numbers:
        ends = boundaries(num_steps)
        lengths = np.diff(ends)
        assert ends[-1] == num_steps
        assert len(lengths) == min(num_steps, WINDOWS)
        assert lengths.min() >= 1
        assert lengths.max() - lengths.min() <= 1


def test_a_boundary_is_found_from_within_a_window():
    plan = plan_of(1000)
    assert [plan.boundary(step) for step in (0, 1, 24, 25, 26, 999)] == [25, 25, 25, 50, 50, 1000]


def test_iterates_at_rest_end_the_approach_early():
    plan, rates = followed(1000, resting)
    assert (plan.rested, plan.averages_from, plan.halves_from) == (4, 10, 25)
    assert len(plan.averaged) == 30
    check_rates(plan, rates)


def test_iterates_that_drift_are_approached_half_way_and_no_longer():
    plan, rates = followed(1000, drifting)
    assert (plan.rested, plan.averages_from, plan.halves_from) == (20, 26, 33)
    check_rates(plan, rates)


def check_rates(plan, rates):
    """Constant until the iterates rest, then falling by equal factors, then constant."""
    approach, average = plan.rates.approach, plan.rates.average
    assert rates[: plan.rested] == [approach] * plan.rested
    falling = rates[plan.rested - 1 : plan.averages_from]
    np.testing.assert_allclose(np.diff(np.log(falling)), np.log(average / approach) / 6)
    np.testing.assert_allclose(rates[plan.averages_from - 1 :], average)


@pytest.mark.parametrize("num_steps", FEW)
def test_a_few_steps_are_an_approach_alone_or_averaged_at_the_end(num_steps):
    for window_of in (resting, drifting):
        plan, rates = followed(num_steps, window_of)
        assert len(rates) == len(plan.windows) == min(num_steps, WINDOWS)
        assert (plan.rested is None) == (num_steps < 4)
        assert len(plan.averaged) == (0 if plan.rested is None else len(plan.windows) - plan.averages_from)


def test_rates_fall_with_the_number_of_steps_between_bounds():
    averages = [rates_of(num_steps, FRAME).average for num_steps in (1, 500, 2000, 10_000, 10**6)]
    np.testing.assert_allclose(averages, [0.05, 0.05, 0.02, 0.004, 0.002])
    assert rates_of(10_000, None).approach == 0.03


def test_rates_fall_with_the_number_of_correlations():
    frames = [Frame(np.zeros(size), np.eye(size)) for size in (1, 20, 40, 200)]
    approach, average = zip(*[dataclasses.astuple(rates_of(10_000, frame)) for frame in frames], strict=True)
    np.testing.assert_allclose(approach, [0.05, 0.05, 0.05 / 4, 0.05 / 100])
    np.testing.assert_allclose(average, np.array(approach) * 0.08)
    assert rates_of(10_000, Frame(np.zeros(200), np.ones(200))).approach == 0.05  # no matrix, no correlations
