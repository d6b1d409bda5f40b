"""The test for bias is calibrated: false alarms are as rare as stated, and what it says it would see, it sees."""

import jax.numpy as jnp
import numpy as np
import pytest

from vipl.diagnostics.audit.bias import ALARM, MORE, judge
from vipl.diagnostics.audit.comparison import SUSPICIOUS, compare
from vipl.diagnostics.audit.draws import NUM_CHUNKS, Draws

SIGNS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1], [1, 1]])
TRUTH = np.array([3.0, -4.0, 0.0, 0.0, 0.0])  # of length 5


def draws(rng, shift=0.0, *, size=32, sample=None):
    """Draws of gradients with this mean: normal, or what `sample(rng, shape)` gives."""
    noise = (sample or (lambda rng, shape: rng.standard_normal(shape)))(rng, (NUM_CHUNKS, size, 5))
    gradients = TRUTH + shift + noise
    return Draws(
        None,
        [jnp.zeros(5)],
        list(gradients.mean(axis=1)),
        list(rng.standard_normal((NUM_CHUNKS, size)).astype(np.float32)),
        list((gradients**2).sum(axis=-1, keepdims=True)),
        list(gradients @ SIGNS),
        [1.0],
    )


def judged(seed, shift=0.0, sample=None):
    rng = np.random.default_rng(seed)

    def more(several):
        shifts = [shift, 0.0]
        return [draws(rng, s, size=32 * MORE, sample=sample) for s, _ in zip(shifts, several, strict=True)]

    return judge(draws(rng, shift, sample=sample), draws(rng, sample=sample), "reference", more)


@pytest.mark.statistical
@pytest.mark.parametrize("sample", [None, lambda rng, shape: rng.exponential(size=shape) - 1.0], ids=["normal", "skew"])
def test_false_alarms_are_rare(sample):
    found = [judged(seed, sample=sample) for seed in range(400)]
    assert not [bias for bias in found if bias.verdict == "biased"]  # expected: 400 · ALARM = 0.04 at most
    looked_twice = np.mean([bias.z is not None for bias in found])
    assert looked_twice <= 4 * SUSPICIOUS
    assert ALARM <= 1e-4


@pytest.mark.statistical
def test_what_it_says_it_sees_it_sees():
    resolution = np.median([judged(seed).resolution for seed in range(20)])
    rng = np.random.default_rng(1)
    found = []
    for seed in range(60):
        direction = rng.standard_normal(5)
        found.append(judged(seed, direction / np.linalg.norm(direction) * resolution * 5.0))
    seen = [bias for bias in found if bias.verdict == "biased"]
    assert len(seen) >= 50  # nine in ten, at the least
    assert np.mean([bias.relative_size for bias in seen]) == pytest.approx(resolution, rel=0.1)


def test_coarse_tests_say_so():
    loud = lambda rng, shape: 20 * rng.standard_normal(shape)  # noqa: E731
    bias = judged(0, sample=loud)
    assert bias.verdict == "not shown"
    assert bias.resolution > 0.1
    assert "num_draws=" in bias.remark


def test_heavy_tails_are_not_judged():
    bias = judged(0, sample=lambda rng, shape: rng.standard_t(1.5, shape))
    assert bias.verdict == "not trustworthy"
    assert "heavy tail" in bias.remark


def test_equal_draws_do_not_differ():
    one = draws(np.random.default_rng(0))
    found = compare(one, one)
    assert not found.is_suspicious
    assert found.value_score == 0.0
