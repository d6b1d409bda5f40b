"""PSIS against known tails, ArviZ's numbers, and guides whose quality is known."""

import jax
import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import genpareto

from vipl.diagnostics import psis
from vipl.diagnostics.generalised_pareto import fit, quantile


def spread(num_draws):
    """Evenly spread points in (0, 1) in a scrambled order: a sample without a random generator."""
    return (np.arange(num_draws) * 0.6180339887498949 + 0.5) % 1.0


NORMAL = ndtri(spread(900))

# (log-weights, k̂, effective sample size) of arviz_stats 1.3.3, `array_stats.psislw(-log_weights)`. It
# rounds the tail size down where vipl and R's loo round up; 3 √900 is whole, and 30 / 5 too.
ARVIZ = {
    "pareto 0.3": (-0.3 * np.log1p(-spread(900)), 0.3064695207655681, 756.0040157355331),
    "pareto 0.7": (-0.7 * np.log1p(-spread(900)), 0.6506652880471654, 150.70465554630053),
    "pareto 1.0": (-1.0 * np.log1p(-spread(900)), 0.9085192067221136, 23.851192486532984),
    "narrow guide": (0.255 * NORMAL**2, 0.45432448617602006, 596.0474940704758),
    "lognormal": (2.0 * NORMAL, 0.653242458354637, 51.89444941390534),
    "thirty draws": (-0.5 * np.log1p(-spread(30)), 0.41303653253036055, 22.198147036530163),
}


@pytest.mark.parametrize("name", ARVIZ)
def test_agrees_with_arviz(name):
    log_weights, khat, effective_sample_size = ARVIZ[name]
    result = psis(log_weights)
    np.testing.assert_allclose(result.khat, khat, rtol=1e-9)
    np.testing.assert_allclose(result.effective_sample_size, effective_sample_size, rtol=1e-9)
    # The twin, weights a tenth heavier in the exponent, must not agree.
    assert abs(psis(1.1 * log_weights).khat - khat) > 0.01


@pytest.mark.parametrize("shape", [0.3, 0.7, 1.0])
def test_khat_of_known_pareto_tails(key, shape):
    def mean_khat(k):
        log_weights = k * np.asarray(jax.random.exponential(key, (8, 4000)), dtype=np.float64)
        return np.mean([psis(row).khat for row in log_weights])

    assert abs(mean_khat(shape) - shape) < 0.15
    assert abs(mean_khat(shape + 0.4) - shape) > 0.15


@pytest.mark.parametrize("num_draws", [1, 2, 5, 20, 21, 100, 4000])
@pytest.mark.parametrize("level", [0.0, -500.0, 3e4])
def test_a_perfect_guide_is_good(key, num_draws, level):
    rounding = 5e-8 * max(abs(level), 1.0) * jax.random.normal(key, (num_draws,))
    result = psis(np.float32(level) + np.asarray(rounding, dtype=np.float32))
    assert result.status == "good"
    assert result.khat == 0.0 < result.threshold
    np.testing.assert_allclose(result.effective_sample_size, num_draws, rtol=1e-3)
    np.testing.assert_allclose(result.log_weights, -np.log(num_draws), atol=0.02)


def test_a_perfect_guide_with_coarse_rounding_is_good(key):
    # Three values 1/16 nat apart, as float32 gives for log densities near a million; the outer ones rare
    # enough to leave no tail.
    for index, rarity in enumerate([0.001, 0.01, 0.1, 0.4]):
        steps = jax.random.choice(
            jax.random.fold_in(key, index), 3, (2000,), p=np.array([rarity, 1 - 2 * rarity, rarity])
        )
        result = psis(0.0625 * np.asarray(steps))
        assert result.status == "good"
        assert np.isfinite(result.khat)


@pytest.mark.parametrize(
    ("scale", "status"), [(0.2, "high_khat"), (0.8, "good"), (1.0, "good"), (1.5, "good"), (3.0, "good")]
)
def test_normal_guides_of_a_standard_normal(key, scale, status):
    # A narrow guide Normal(0, scale) of a plane has weights that are Pareto, of shape 1 - scale²; those of a wide one
    # are bounded.
    x = scale * np.asarray(jax.random.normal(key, (40_000, 2)), dtype=np.float64)
    result = psis(np.sum(-0.5 * x**2 + 0.5 * (x / scale) ** 2, axis=1))
    assert result.status == status
    assert (result.khat <= result.threshold) == (status == "good")
    if scale > 1:
        assert result.khat <= 0.0


def test_self_normalised_estimate(key):
    # E x² = 1 under Normal(0, 1), from draws of Normal(0, 1.5); the twin forgets the weights and finds 2.25.
    x = 1.5 * np.asarray(jax.random.normal(key, (4000,)), dtype=np.float64)
    weights = np.exp(psis(-0.5 * x**2 + 0.5 * (x / 1.5) ** 2).log_weights)
    deviation = weights * (x**2 - 1.0)
    error = 4.5 * np.sqrt((deviation**2).sum())
    assert error < 0.15
    assert abs((weights * x**2).sum() - 1.0) < error
    assert abs((x**2).mean() - 1.0) > error


def test_smoothing_steadies_the_largest_weight(key):
    raw, smoothed = [], []
    for index in range(200):
        log_weights = 0.6 * np.asarray(jax.random.exponential(jax.random.fold_in(key, index), (500,)), dtype=np.float64)
        result = psis(log_weights)
        raw.append(np.exp(log_weights).max() / np.exp(log_weights).sum())
        smoothed.append(np.exp(result.log_weights.max()))
    assert np.std(smoothed) < 0.8 * np.std(raw)


def test_weights_are_normalised_ordered_and_do_not_depend_on_the_level():
    log_weights = ARVIZ["pareto 0.7"][0]
    result = psis(log_weights)
    np.testing.assert_allclose(np.exp(result.log_weights).sum(), 1.0, rtol=1e-12)
    assert (np.argsort(result.log_weights, kind="stable") == np.argsort(log_weights, kind="stable")).all()
    np.testing.assert_allclose(psis(log_weights - 700.0).log_weights, result.log_weights, atol=1e-9)


def test_zero_weights_stay_zero():
    log_weights = np.where(spread(900) < 0.5, -np.inf, -0.3 * np.log1p(-spread(900)))
    result = psis(log_weights)
    assert result.status == "good"
    assert ((result.log_weights == -np.inf) == (log_weights == -np.inf)).all()


def test_ties_of_a_discrete_guide_are_left_alone():
    common = np.zeros(1000)
    mild, severe = common.copy(), common.copy()
    mild[:3], severe[:3] = np.log(1.5), np.log(1000.0)
    assert psis(mild).status == "good"
    assert psis(severe).status == "high_khat"
    np.testing.assert_allclose(psis(mild).log_weights, mild - np.log(np.exp(mild).sum()), atol=1e-12)
    assert psis(np.where(spread(1000) < 0.5, 0.0, 1.0)).khat == 0.0


@pytest.mark.parametrize(
    ("log_weights", "status", "khat"),
    [
        (np.full(30, -np.inf), "no_mass", np.inf),
        (np.array([0.0, np.nan] * 20), "invalid", np.nan),
        (np.array([0.0, np.inf] * 20), "invalid", np.nan),
        (np.arange(20.0), "too_few_draws", np.inf),
        (np.array([0.0, 0.0] + [-np.inf] * 98), "too_few_draws", np.inf),
    ],
)
def test_bad_weights_are_a_status(log_weights, status, khat):
    result = psis(log_weights)
    assert result.status == status
    np.testing.assert_equal(result.khat, khat)


def test_extreme_weights_are_high_not_an_error():
    for scale in (20.0, 200.0, 2000.0, 1e6):
        result = psis(scale * NORMAL)
        assert result.status in {"high_khat", "too_few_draws"}
        assert not np.isnan(result.khat)
        np.testing.assert_allclose(result.effective_sample_size, 1.0, rtol=0.05)


def test_threshold():
    assert psis(np.zeros(100)).threshold == 0.5
    assert psis(np.zeros(5000)).threshold == 0.7
    assert psis(np.zeros(3)).threshold == psis(np.zeros(21)).threshold > 0.2


@pytest.mark.parametrize("log_weights", [0.0, np.zeros((3, 2)), np.zeros(0)])
def test_shapes_are_checked(log_weights):
    with pytest.raises(ValueError, match="vector of log-weights"):
        psis(log_weights)


def test_result_is_a_pytree():
    result = psis(np.zeros(3))
    leaves, tree = jax.tree.flatten(result)
    assert len(leaves) == 4
    assert jax.tree.unflatten(tree, leaves).status == "good"


def test_quantiles_are_scipys():
    levels = spread(50)
    for shape in (-0.7, 0.0, 0.4, 1.3):
        np.testing.assert_allclose(quantile(levels, shape, 2.0), genpareto.ppf(levels, shape, scale=2.0), rtol=1e-10)


def test_a_quantile_beyond_all_floats_is_infinite():
    np.testing.assert_array_equal(quantile(np.array([0.999]), 500.0, 1.0), [np.inf])
    result = psis(np.linspace(0.0, 1e6, 10_000))
    assert result.status == "high_khat"
    assert result.khat > 100


def test_fit_is_equivariant_in_scale():
    excesses = np.sort(genpareto.ppf(spread(200), 0.4))
    shape, scale = fit(excesses)
    np.testing.assert_allclose(fit(1e-200 * excesses), (shape, 1e-200 * scale), rtol=1e-9)
