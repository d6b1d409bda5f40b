"""How a cell is judged: right, refused by name, not shown for want of precision, or wrong.

Stage 1 passes at |mean − exact| ≤ 3 SE; else ten times the draws, with fresh keys, must agree to 4.5 SE. The draws
must suffice to see a bias of 10 % of the gradient (2 % in a long run), 4.5 SE ≤ resolution; a cell that cannot reach
that, or where one draw carries over 5 % of the variance, is not shown. What has no variance must be exact to 1e-10.
One key twice gives equal bits; 64 keys give 64 gradients of a continuous choice, and several of a discrete one.
"""

from __future__ import annotations

import dataclasses
import warnings

import jax
import numpy as np
from helpers import LONG

import vipl

RIGHT, REFUSED, NOT_SHOWN, WRONG = "right", "refused", "not shown", "wrong"
BATCH = 2**15 if LONG else 2**12
MOST_DRAWS = 2**28 if LONG else 2**24
RELATIVE = 1e-10
SHARE = 0.05


@dataclasses.dataclass(frozen=True)
class Verdict:
    word: str
    detail: str = ""


class Moments:
    """Running moments of draws, each a vector."""

    def __init__(self):
        self.count, self.total, self.squares, self.largest = 0, 0.0, 0.0, 0.0

    def add(self, batch, centre):
        deviations = batch - centre
        self.count += len(batch)
        self.total = self.total + deviations.sum(axis=0)
        self.squares = self.squares + (deviations**2).sum(axis=0)
        self.largest = np.maximum(self.largest, (deviations**2).max(axis=0))

    def mean(self, centre):
        return centre + self.total / self.count

    @property
    def error(self):
        variance = np.maximum(self.squares - self.total**2 / self.count, 0.0) / max(self.count - 1, 1)
        return np.sqrt(variance / self.count)

    def largest_share(self, slack):
        """Return the largest part of a variance that comes from one draw, of the elements that vary at all."""
        share = self.largest / np.maximum(self.squares, 1e-300)
        return share[self.error > slack].max(initial=0.0)


def judge(estimate, exact, *, resolution, continuous=False, exactly=False, seed=0) -> Verdict:
    """Judge an estimator.

    Args:
        estimate: of a key; a vector.
        exact: its exact mean.
        resolution: `(len(exact),)`; the bias that must be seen.
        continuous: whether 64 keys must give 64 results.
        exactly: whether the estimator is declared to have no variance.
        seed: of the keys.
    """
    exact = np.asarray(exact, np.float64)
    assert np.isfinite(exact).all(), "the exact answer is not finite"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", vipl.BiasWarning)
            draw = jax.jit(jax.vmap(estimate))
            key_first, key_second = jax.random.split(jax.random.key(seed))
            first = np.asarray(draw(jax.random.split(jax.random.fold_in(key_first, 0), BATCH)))
    except (vipl.VIPLError, vipl.BiasWarning) as error:
        return Verdict(REFUSED, type(error).__name__)
    again = np.asarray(draw(jax.random.split(jax.random.fold_in(key_first, 0), BATCH)))
    if not np.array_equal(first, again):
        return Verdict(WRONG, "one key, two results")
    if not np.isfinite(first).all():
        return Verdict(WRONG, "not finite")
    if np.ptp(first, axis=0).max() <= RELATIVE * np.abs(first).max():
        close = np.allclose(first, exact, rtol=RELATIVE, atol=RELATIVE * np.abs(exact).max())
        return Verdict(RIGHT, "exact") if close else Verdict(WRONG, f"no variance, {first[0]} for {exact}")
    if exactly:
        return Verdict(WRONG, "declared exact, and it varies")
    distinct = len(np.unique(first[:64], axis=0))
    if distinct < (64 if continuous else 2):
        return Verdict(WRONG, f"64 keys, {distinct} results")
    return _judge_mean(draw, first, exact, resolution, key_first, key_second)


def _judge_mean(draw, first, exact, resolution, key_first, key_second) -> Verdict:
    def gather(key, moments, done):
        number = 1
        while not done(moments) and moments.count < MOST_DRAWS * (10 if key is key_second else 1):
            moments.add(np.asarray(draw(jax.random.split(jax.random.fold_in(key, number), BATCH))), exact)
            number += 1
        return moments

    slack = RELATIVE * (np.abs(exact) + np.abs(exact).max())

    def enough(m):
        return m.count >= 2 * BATCH and (4.5 * m.error <= resolution).all() and m.largest_share(slack) <= SHARE

    start = Moments()
    start.add(first, exact)
    stage = gather(key_first, start, enough)
    if (4.5 * stage.error > resolution).any():
        return Verdict(NOT_SHOWN, f"4.5 SE {4.5 * stage.error} against {resolution}, {stage.count} draws")
    for limit in (3.0, 4.5):
        share = stage.largest_share(slack)
        if share > SHARE:
            return Verdict(NOT_SHOWN, f"one draw carries {share:.0%} of the variance")
        off = np.abs(stage.mean(exact) - exact) - slack
        if (off <= limit * stage.error).all():
            return Verdict(RIGHT, f"{stage.count} draws, stage {1 if limit == 3.0 else 2}")
        if limit == 3.0:
            count = 10 * stage.count
            stage = gather(key_second, Moments(), lambda m, count=count: m.count >= count)
    apart = off / np.maximum(stage.error, 1e-300)
    return Verdict(WRONG, f"mean {stage.mean(exact)}, exact {exact}, apart by {np.round(apart, 1)} SE")
