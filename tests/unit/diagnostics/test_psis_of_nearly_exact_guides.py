"""Weights that are nearly equal, with few larger ones: what is their tail, and what is still called heavy."""

import numpy as np
import pytest
from scipy.special import digamma, gammaln, polygamma
from scipy.stats import genpareto, norm

from vipl.diagnostics import psis, smoothing
from vipl.diagnostics.generalised_pareto import fit, fits


@pytest.mark.parametrize("key", range(5))
def test_a_plateau_is_not_the_tail(key):
    """A normal guide of a logistic-beta: nearly exact in its bulk, where most of the largest weights are."""
    x = 0.603 * np.random.default_rng(key).standard_normal(10_000)
    log_target = -6 * np.logaddexp(0, x) - 6 * np.logaddexp(0, -x)
    result = psis(log_target + 0.5 * (x / 0.603) ** 2)
    assert result.status == "good"
    assert result.effective_sample_size > 9900


@pytest.mark.parametrize("key", range(3))
def test_a_heavy_tail_beyond_a_plateau_is_still_seen(key):
    """Forty of a thousand draws have a Pareto tail of k = 1; the others are nearly equal."""
    random = np.random.default_rng(key)
    weights = 1 + 1e-3 * random.random(1000)
    weights[:40] = 1 / random.random(40)
    assert psis(np.log(weights)).status == "high_khat"


def log_gamma(shape, widened, random, num_draws):
    """Log-weights of the normal with the mean of a log-gamma law and `widened` times its standard deviation."""
    loc, scale = digamma(shape), widened * np.sqrt(polygamma(1, shape))
    u = random.normal(loc, scale, num_draws)
    return shape * u - np.exp(u) - gammaln(shape) - norm.logpdf(u, loc, scale)


@pytest.mark.parametrize("num_draws", [10_000, 100_000])
@pytest.mark.parametrize(("shape", "widened"), [(5, 1.05), (10, 1.0), (30, 1.0), (30, 1.02), (120, 1.0)])
def test_the_end_of_the_bulk_is_not_the_tail(shape, widened, num_draws):
    """A third of the largest weights are in a tail, the others at the largest weight of the bulk."""
    for seed in range(4):
        result = psis(log_gamma(shape, widened, np.random.default_rng(seed), num_draws))
        assert result.khat < 0.6
        assert result.effective_sample_size > 0.95 * num_draws


def test_without_the_test_of_fit_an_excellent_guide_is_poor(monkeypatch):
    monkeypatch.setattr(smoothing, "fits", lambda *_: True)
    for seed in range(4):
        assert psis(log_gamma(10, 1.0, np.random.default_rng(seed), 10_000)).khat > 2


@pytest.mark.parametrize("wide", [3.0, 5.0])
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_a_guide_without_the_posteriors_wide_part_stays_poor(share, wide):
    """Nearly equal weights also: of a normal that is mixed with a wide one, of which the guide has nothing."""
    for seed in range(4):
        x = np.random.default_rng(seed).standard_normal(100_000)
        log_target = np.logaddexp(np.log1p(-share) + norm.logpdf(x), np.log(share) + norm.logpdf(x, 0, wide))
        assert psis(log_target - norm.logpdf(x)).status == "high_khat"


@pytest.mark.parametrize("visits", [10, 40, 150])
def test_a_mode_that_is_hardly_visited_stays_poor(visits):
    """Some of 10 000 draws are in a mode that the guide has a hundredth of: light by themselves, and no tail."""
    for seed in range(4):
        log_weights = log_gamma(10, 1.0, np.random.default_rng(seed), 10_000)
        log_weights[:visits] += np.log(100)
        assert psis(log_weights).status == "high_khat"


@pytest.mark.parametrize("shape", [-0.3, 1e-6, 0.5, 0.9, 1.5])
def test_what_is_a_pareto_law_is_not_cut(shape):
    random = np.random.default_rng(0)
    for count in (50, 300, 1000):
        samples = np.sort(genpareto.rvs(shape, size=(400, count), random_state=random), axis=1)
        assert sum(not fits(sample, *fit(sample)) for sample in samples) <= (32 if shape <= 0 else 14)


def test_equal_excesses_are_no_gap():
    """Rounded to three values, a sample is as good as its law."""
    sample = np.sort(genpareto.rvs(0.4, size=300, random_state=np.random.default_rng(0)))
    law = fit(sample)
    assert fits(np.ceil(sample), *law)
    assert not fits(10 * np.ceil(sample), *law)
