"""Whether a chain of iterates rests is told from windows of it: chains at rest do, chains that drift do not."""

import numpy as np
import pytest

from vipl.infer.training.convergence import Window, at_rest, rest_of

WINDOWS, LENGTH, NUMBERS = 20, 250, 10


def chain(correlation, drift=0.0, seed=0):
    """Return an AR(1) chain, `(steps, numbers)`, of unit variance, whose mean moves by `drift` in all."""
    random = np.random.default_rng(seed)
    steps = WINDOWS * LENGTH
    noise = random.normal(size=(steps, NUMBERS)) * np.sqrt(1 - correlation**2)
    values = np.empty_like(noise)
    values[0] = random.normal(size=NUMBERS)
    for step in range(1, steps):
        values[step] = correlation * values[step - 1] + noise[step]
    return values + drift * np.linspace(0, 1, steps)[:, None]


def windows_of(values):
    return [Window(part.mean(0), part.var(0), len(part)) for part in np.split(values, WINDOWS)]


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_a_chain_at_rest_rests(correlation):
    assert at_rest(windows_of(chain(correlation)))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_a_chain_that_drifts_does_not(correlation):
    drifting = windows_of(chain(correlation, drift=8.0))
    assert not at_rest(drifting)
    in_disorder = [drifting[i] for i in np.argsort(np.arange(WINDOWS) * 7 % WINDOWS)]
    assert at_rest(in_disorder), "the wrong twin, which forgets the order of the windows"


def test_one_number_that_drifts_is_enough():
    values = chain(0.5)
    values[:, 3] += np.linspace(0, 8, len(values))
    assert not at_rest(windows_of(values))


def test_what_a_chain_did_before_its_later_half_is_forgotten():
    values = chain(0.5)
    values[: len(values) // 2] += np.linspace(50, 0, len(values) // 2)[:, None]
    assert at_rest(windows_of(values))
    assert rest_of(windows_of(values)).rhat > 1.5


def test_less_than_two_windows_are_too_few():
    assert not at_rest(windows_of(chain(0.0))[:2])
    assert at_rest(windows_of(chain(0.0))[:3])


@pytest.mark.parametrize("drift", [0.0, 2.0])
def test_rhat_drift_and_error_are_those_of_the_iterates(drift):
    values = chain(0.5, drift)
    found = rest_of(windows_of(values))
    halves = np.stack(np.split(values, 2))
    within = halves.var(1).mean(0)
    between = halves.mean(1).var(0, ddof=1)
    np.testing.assert_allclose(found.rhat, np.sqrt(1 + between / within).max(), rtol=1e-6)
    np.testing.assert_allclose(found.drift, np.abs(halves[1].mean(0) - halves[0].mean(0)).max(), rtol=1e-6)
    means = values.reshape(WINDOWS, LENGTH, NUMBERS).mean(1)
    np.testing.assert_allclose(found.error, (means.std(0, ddof=1) / np.sqrt(WINDOWS)).max(), rtol=1e-6)


def test_no_numbers_and_constant_numbers_rest():
    assert rest_of([Window(np.zeros(0), np.zeros(0), 5)] * 4).rhat == 1.0
    constant = [Window(np.ones(2), np.zeros(2), 5)] * 4
    assert rest_of(constant) == rest_of(constant[:2])
    assert rest_of(constant).rhat == 1.0
    moved = [Window(np.full(2, float(i)), np.zeros(2), 5) for i in range(4)]
    assert rest_of([moved[0], moved[3]]).rhat == np.inf, "a constant that jumped"
