"""Transported noise has the law of its distribution: SciPy's where it knows it, else NumPyro's sampler's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from distribution_registry import CASES

import vipl.distributions as dist
from vipl.distributions.base_noise import draw, noise_of
from vipl.distributions.validation import validation_off

pytestmark = pytest.mark.statistical
LEVEL = 1e-5
COUNT = 20_000


def many(build, parameters, key, sample=lambda d, key: draw(d, key)[0]):
    """Draw `COUNT` times under vmap; shape `(COUNT, *batch, *event)`."""
    parameters = tuple(jnp.asarray(p, jnp.float32) for p in parameters)
    keys = jax.random.split(key, COUNT)
    with validation_off():
        return np.asarray(jax.jit(jax.vmap(lambda k: sample(build(*parameters), k)))(keys))


def _is_own_rule(name):
    with validation_off():
        return noise_of(CASES[name].make()).kind in ("normal", "uniform")


OWN = [name for name, case in CASES.items() if case.samples and _is_own_rule(name)]
SCALAR = [
    n
    for n in OWN
    if CASES[n].scipy and CASES[n].scipy(CASES[n].make()).__class__.__module__.startswith("scipy.stats._distn_infra")
]
OTHER = [n for n in OWN if n not in SCALAR]


def fits(values, frozen):
    """Return the smallest p-value over the batch, corrected for the number of its elements."""
    if frozen.dist.__class__.__mro__[1].__name__ == "rv_discrete" or hasattr(frozen, "pmf"):
        probability = frozen.pmf(np.arange(2)[:, None])
        counts = np.stack([(values == k).sum(0) for k in range(2)])
        p = [scipy.stats.chisquare(c, COUNT * q).pvalue for c, q in zip(counts.T, probability.T, strict=True)]
    else:
        uniform = frozen.cdf(values)
        p = [scipy.stats.kstest(u, "uniform").pvalue for u in uniform.T]
    return len(p) * min(p)


@pytest.mark.parametrize("name", SCALAR)
def test_has_the_law_scipy_states(name, key):
    case = CASES[name]
    values = many(case.build, case.parameters, key)
    frozen = case.scipy(case.make())
    assert fits(values, frozen) > LEVEL
    wrong = np.where(np.arange(COUNT)[:, None] % 10 == 0, values[::-1] * 0 + np.median(values, 0), values)
    assert fits(wrong, frozen) < LEVEL, "a tenth of the draws replaced must be seen"


def projections(values, directions):
    return values.reshape(COUNT, -1).astype(float) @ directions


def same_law(left, right, seed=0):
    """Return a p-value: two-sample Kolmogorov-Smirnov along random directions and along each entry."""
    size = left.reshape(COUNT, -1).shape[1]
    directions = np.random.default_rng(seed).normal(size=(size, 4))
    directions = np.concatenate([directions, np.eye(size)], 1)
    left, right = projections(left, directions), projections(right, directions)
    p = [scipy.stats.ks_2samp(a, b, method="asymp").pvalue for a, b in zip(left.T, right.T, strict=True)]
    return len(p) * min(p)


@pytest.mark.parametrize("name", OTHER)
def test_has_the_law_of_numpyros_sampler(name, key):
    case = CASES[name]
    ours, theirs = jax.random.split(key)
    left = many(case.build, case.parameters, ours)
    right = many(case.build, case.parameters, theirs, lambda d, k: d.sample(k))
    assert same_law(left, right) > LEVEL
    wrong = left.copy()
    wrong[::10] = np.roll(left, 1, axis=-1)[::10] * 0 + left.min(axis=0)
    assert same_law(wrong, right) < LEVEL, "a tenth of the draws replaced must be seen"


def test_categories_have_their_probabilities(key):
    probs = np.array([0.1, 0.0, 0.6, 0.3])
    values = many(lambda p: dist.Categorical(probs=p), (probs,), key)
    counts = np.bincount(values, minlength=4)
    assert counts[1] == 0
    assert scipy.stats.chisquare(counts[[0, 2, 3]], COUNT * probs[[0, 2, 3]]).pvalue > LEVEL
    assert scipy.stats.chisquare(counts[[0, 2, 3]], COUNT * np.array([0.12, 0.58, 0.3])).pvalue < LEVEL
