"""Each assertion passes for the right thing and rejects a twin that is wrong by an amount that matters."""

import jax
import numpy as np
import pytest
import scipy.stats
from helpers import assert_exact, assert_same_law, assert_unbiased

NUM_DRAWS = 10_000


def test_unbiased_accepts_an_unbiased_estimator(key):
    samples = {"a": 2.0 + jax.random.normal(key, (NUM_DRAWS,)), "b": jax.random.uniform(key, (NUM_DRAWS, 3))}
    assert_unbiased(samples, {"a": 2.0, "b": np.full(3, 0.5)}, resolution=0.05)


def test_unbiased_rejects_the_biased_twin_in_one_element(key):
    samples = jax.random.normal(key, (NUM_DRAWS, 3)).at[:, 1].add(0.1)
    with pytest.raises(AssertionError, match=r"samples\[.*1.*\]: mean .* standard errors"):
        assert_unbiased(samples, np.zeros(3), resolution=0.05)


def test_unbiased_rejects_a_test_too_weak_to_see_the_resolution(key):
    with pytest.raises(AssertionError, match="draw more"):
        assert_unbiased(jax.random.normal(key, (100,)), 0.0, resolution=0.05)


def test_unbiased_rejects_a_variance_that_one_draw_carries(key):
    samples = 1e-3 * jax.random.normal(key, (NUM_DRAWS,))
    with pytest.raises(AssertionError, match="one draw carries"):
        assert_unbiased(samples.at[0].set(10.0), 0.0, resolution=0.05)


@pytest.mark.parametrize(
    ("samples", "exact", "message"),
    [
        (np.array([0.0, np.nan, 0.0]), 0.0, "not finite"),
        (np.zeros((5, 3)), 0.0, "shape"),
        (np.zeros((5,)), {"a": 0.0}, "exact is"),
        (np.full(5, 1.001), 1.0, "mean 1.001"),
        (np.zeros(1), 0.0, "no standard error"),
        (np.zeros(0), 0.0, "no draws"),
        ({}, {}, "nothing to compare"),
    ],
)
def test_unbiased_rejects_malformed_or_constant_wrong_samples(samples, exact, message):
    with pytest.raises(AssertionError, match=message):
        assert_unbiased(samples, exact, resolution=0.05)


def test_unbiased_takes_a_constant_element_as_exact(key):
    samples = jax.random.normal(key, (NUM_DRAWS, 2)).at[:, 1].set(1 / 3)
    assert_unbiased(samples, np.array([0.0, 1 / 3]), resolution=0.05)


def test_exact_accepts_rounding_and_rejects_a_noisy_or_shifted_twin(key):
    truth = np.array([1 / 3, 1e4])
    assert_exact(np.tile(truth.astype(np.float32), (5, 1)), truth)
    with pytest.raises(AssertionError):
        assert_exact(np.tile(truth * 1.0001, (5, 1)), truth)
    with pytest.raises(AssertionError):
        assert_exact(truth + 0.01 * np.asarray(jax.random.normal(key, (5, 2))), truth)


def test_same_law_of_a_continuous_law(key):
    samples = jax.random.normal(key, (NUM_DRAWS,))
    assert_same_law(samples, cdf=scipy.stats.norm.cdf)
    assert_same_law(samples, other=jax.random.normal(jax.random.fold_in(key, 1), (NUM_DRAWS,)))
    with pytest.raises(AssertionError, match="do not follow"):
        assert_same_law(1.1 * samples, cdf=scipy.stats.norm.cdf)
    with pytest.raises(AssertionError, match="do not follow"):
        assert_same_law(1.2 * samples, other=jax.random.normal(jax.random.fold_in(key, 1), (NUM_DRAWS,)))


def test_same_law_of_a_discrete_law(key):
    probabilities = np.array([0.5, 0.3, 0.1999, 0.0001, 0.0])
    samples = jax.random.choice(key, 5, (NUM_DRAWS,), p=probabilities)
    assert_same_law(samples, probabilities=probabilities)
    with pytest.raises(AssertionError, match="do not follow"):
        assert_same_law(samples, probabilities=np.array([0.47, 0.33, 0.1999, 0.0001, 0.0]))
    with pytest.raises(AssertionError, match="probability zero"):
        assert_same_law(samples.at[0].set(4), probabilities=probabilities)
    with pytest.raises(AssertionError, match="drew 5 of 5 values"):
        assert_same_law(samples.at[0].set(5), probabilities=probabilities)
    with pytest.raises(AssertionError, match="sum to one"):
        assert_same_law(samples, probabilities=probabilities / 2)


@pytest.mark.parametrize(
    ("samples", "laws", "message"),
    [
        (np.zeros(10), {"cdf": scipy.stats.norm.cdf}, "at least 200"),
        (np.zeros((300, 2)), {"cdf": scipy.stats.norm.cdf}, "vector"),
        (np.full(300, np.nan), {"cdf": scipy.stats.norm.cdf}, "finite"),
        (np.zeros(300), {}, "give one"),
    ],
)
def test_same_law_rejects_what_it_cannot_judge(samples, laws, message):
    with pytest.raises(AssertionError, match=message):
        assert_same_law(samples, **laws)


def test_x64_fixture_gives_double_precision(x64, key):
    assert jax.random.normal(key).dtype == np.float64


def test_single_precision_is_the_default(key):
    assert jax.random.normal(key).dtype == np.float32
