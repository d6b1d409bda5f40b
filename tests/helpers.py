"""Assertions on random results, calibrated so that each can fail for an error that matters and hardly ever
by chance.

Samples and exact answers may be pytrees; the samples' leaves have one leading axis more. Everything is
compared in float64."""

import os

import jax
import numpy as np
import scipy.stats

# With VIPL_LONG=1 (make test-long) statistical tests draw 16 times as much: a resolution four times as fine
# at the same z. As far as two workers' memory reaches.
LONG = os.environ.get("VIPL_LONG") == "1"
MOST_DRAWS = 2**23

# One draw that carries more than this share of the squared deviations makes the standard error meaningless:
# a tail too heavy to judge.
_LARGEST_SHARE = 0.2
_ROUNDING = 32 * np.finfo(np.float32).eps


def draws(count):
    """The number of draws to take: `count`, or in a long run 16 times as many, up to `MOST_DRAWS`."""
    return max(count, min(16 * count, MOST_DRAWS)) if LONG else count


def assert_unbiased(samples, exact, *, z=4.5, resolution):
    """Check elementwise that the mean of `samples` is `exact`, and that the test could have seen an error
    of size `resolution`.

    Fails if `z·SE > resolution` (too few draws to tell), if `|mean − exact| > z·SE`, if one draw carries
    most of the variance, or if anything is not finite. At z = 4.5 a right estimator fails once in 150 000
    elements. An element without variance must equal `exact` up to float32 rounding.
    """
    for place, sample, truth in _pairs(samples, exact):
        num_draws = sample.shape[0]
        assert num_draws > 1, f"{place}: one draw has no standard error"
        mean = sample.mean(axis=0)
        squares = (sample - mean) ** 2
        error = np.sqrt(squares.sum(axis=0) / (num_draws - 1) / num_draws)
        rounding = _ROUNDING * np.maximum(np.abs(truth), np.abs(sample).mean(axis=0))
        assert (z * error <= resolution).all(), (
            f"{place}: z·SE = {(z * error).max():.3g} exceeds the resolution {resolution:.3g}; draw more"
        )
        varies = error > rounding
        share = np.where(varies, squares.max(axis=0) / np.where(varies, squares.sum(axis=0), 1.0), 0.0)
        assert (share <= max(_LARGEST_SHARE, 4 / num_draws)).all(), (
            f"{place}: one draw carries {share.max():.0%} of the variance, so the standard error means little"
        )
        excess = np.abs(mean - truth) - z * error - rounding
        worst = np.unravel_index(excess.argmax(), excess.shape)
        assert excess[worst] <= 0, (
            f"{place}{list(worst) or ''}: mean {mean[worst]:.6g}, exact {truth[worst]:.6g}, "
            f"apart by {abs(mean[worst] - truth[worst]) / max(error[worst], 1e-300):.1f} standard errors"
        )


def assert_exact(samples, exact, *, relative=1e-5, absolute=1e-6):
    """Check that every single draw equals `exact` up to rounding: the estimator has no variance."""
    for place, sample, truth in _pairs(samples, exact):
        np.testing.assert_allclose(
            sample, np.broadcast_to(truth, sample.shape), rtol=relative, atol=absolute, err_msg=place
        )


def assert_same_law(samples, *, cdf=None, probabilities=None, other=None, p_value=1e-4):
    """Check draws, `(num_draws,)`, against a law: one of the three keywords says which.

    Args:
        samples: the draws.
        cdf: a continuous law's distribution function, applied to an array (Kolmogorov–Smirnov).
        probabilities: `(num_values,)`, of the integers 0, 1, ... (chi-square; values expected under five
            times are pooled).
        other: draws from the right law (two-sample Kolmogorov–Smirnov).
        p_value: the least p-value that passes. Keys are fixed, so a test that passed once goes on passing.
    """
    samples = np.asarray(samples, dtype=np.float64)
    assert sum(law is not None for law in (cdf, probabilities, other)) == 1, "give one law"
    assert samples.ndim == 1, f"draws must be a vector, not {samples.shape}"
    assert samples.size >= 200, f"{samples.size} draws can show little; draw at least 200"
    assert np.isfinite(samples).all(), "some draw is not finite"
    if cdf is not None:
        found = scipy.stats.kstest(samples, lambda x: np.asarray(cdf(x), dtype=np.float64)).pvalue
    elif other is not None:
        found = scipy.stats.ks_2samp(samples, np.asarray(other, dtype=np.float64)).pvalue
    else:
        found = _chi_square(samples, np.asarray(probabilities, dtype=np.float64))
    assert found >= p_value, f"p-value {found:.2g} < {p_value:.2g}: the draws do not follow the law"


def _chi_square(samples, probabilities):
    np.testing.assert_allclose(probabilities.sum(), 1.0, atol=1e-5, err_msg="probabilities do not sum to one")
    values = samples.astype(int)
    assert (values == samples).all(), "some draw is not an integer"
    assert values.min() >= 0, f"drew {values.min()}"
    assert values.max() < probabilities.size, f"drew {values.max()} of {probabilities.size} values"
    observed = np.bincount(values, minlength=probabilities.size)
    assert not observed[probabilities == 0].any(), "drew a value of probability zero"
    expected = samples.size * probabilities / probabilities.sum()
    rare = expected < 5
    observed = np.append(observed[~rare], observed[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    kept = expected > 0
    if kept.sum() < 2:
        return 1.0
    return scipy.stats.chisquare(observed[kept], expected[kept]).pvalue


def _pairs(samples, exact):
    """Yield `(place, samples, exact)` for each leaf, in float64 and with the shapes checked."""
    sample_leaves, sample_tree = jax.tree_util.tree_flatten_with_path(samples)
    exact_leaves, exact_tree = jax.tree.flatten(exact)
    assert sample_tree == exact_tree, f"samples are {sample_tree}, but exact is {exact_tree}"
    assert sample_leaves, "nothing to compare"
    for (path, sample), truth in zip(sample_leaves, exact_leaves, strict=True):
        place = jax.tree_util.keystr(path) or "samples"
        sample, truth = np.asarray(sample, dtype=np.float64), np.asarray(truth, dtype=np.float64)
        assert sample.shape[1:] == truth.shape, f"{place}: shapes {sample.shape[1:]}, {truth.shape}"
        assert sample.size, f"{place}: no draws"
        assert np.isfinite(sample).all(), f"{place}: some draw is not finite"
        assert np.isfinite(truth).all(), f"{place}: exact is not finite"
        yield place, sample, truth
