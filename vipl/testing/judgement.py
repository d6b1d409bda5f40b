"""How a cell is judged: right, refused by name, not shown for want of precision, or wrong.

Stage 1 passes at |mean − exact| ≤ 3 SE; else ten times the draws, with fresh keys, must agree to 4.5 SE. The draws
must suffice to see the bias that is asked for, 4.5 SE ≤ resolution; a cell that cannot reach that, or where one draw
carries over 5 % of the variance, is not shown. What has no variance must be exact to 1e-10. One key twice gives equal
bits; 64 keys give 64 gradients of a continuous choice, and several of a discrete one.
"""

from __future__ import annotations

import warnings

import jax
import numpy as np

from vipl._core.errors import BiasWarning, VIPLError
from vipl.testing.moments import Moments
from vipl.testing.verdict import BATCH, MOST_DRAWS, NOT_SHOWN, REFUSED, RELATIVE, RIGHT, WRONG, Question, Verdict

SHARE = 0.05


def judge(
    estimate,
    exact,
    *,
    resolution,
    continuous=False,
    exactly=False,
    seed=0,
    labels=None,
    batch=BATCH,
    most_draws=MOST_DRAWS,
) -> Verdict:
    """Judge an estimator.

    Args:
        estimate: of a key; a vector.
        exact: its exact mean.
        resolution: `(len(exact),)`; the bias that must be seen.
        continuous: whether 64 keys must give 64 results.
        exactly: whether the estimator is declared to have no variance.
        seed: of the keys.
        labels: what the elements are called; default: their numbers.
        batch: how many draws to take at once.
        most_draws: after how many to give up.
    """
    exact = np.asarray(exact, np.float64)
    if not np.isfinite(exact).all():
        raise ValueError(f"the exact answer is not finite: {exact}")
    labels = tuple(labels or (f"[{i}]" for i in range(len(exact))))
    question = Question(exact, np.broadcast_to(resolution, exact.shape), labels, batch, most_draws)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", BiasWarning)
            draw = jax.jit(jax.vmap(estimate))
            key_first, key_second = jax.random.split(jax.random.key(seed))
            first = np.asarray(draw(jax.random.split(jax.random.fold_in(key_first, 0), batch)))
    except (VIPLError, BiasWarning) as error:
        return Verdict(REFUSED, type(error).__name__, getattr(error, "what", str(error)))
    again = np.asarray(draw(jax.random.split(jax.random.fold_in(key_first, 0), batch)))
    if not np.array_equal(first, again):
        return Verdict(WRONG, "one key, two results")
    if not np.isfinite(first).all():
        return Verdict(WRONG, "not finite")
    if np.ptp(first, axis=0).max() <= RELATIVE * np.abs(first).max():
        off = np.abs(first - exact).max(axis=0) > question.slack
        return Verdict(WRONG, question.differences(first[0], off)) if off.any() else Verdict(RIGHT, "exact")
    if exactly:
        return Verdict(WRONG, "declared exact, and it varies")
    distinct = len(np.unique(first[:64], axis=0))
    if distinct < (64 if continuous else 2):
        return Verdict(WRONG, f"64 keys, {distinct} results")
    return _judge_mean(draw, first, question, key_first, key_second)


def _judge_mean(draw, first, question: Question, key_first, key_second) -> Verdict:
    exact, slack = question.exact, question.slack

    def gather(key, moments, done):
        number, most = 1, question.most_draws * (10 if key is key_second else 1)
        while not done(moments) and moments.count < most:
            keys = jax.random.split(jax.random.fold_in(key, number), question.batch)
            moments.add(np.asarray(draw(keys)), exact)
            number += 1
        return moments

    def enough(m):
        fine = (4.5 * m.error <= question.resolution).all() and m.largest_share(slack) <= SHARE
        return m.count >= 2 * question.batch and fine

    start = Moments()
    start.add(first, exact)
    stage = gather(key_first, start, enough)
    if (4.5 * stage.error > question.resolution).any():
        return Verdict(NOT_SHOWN, question.too_coarse(stage.error, stage.count))
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
    return Verdict(WRONG, question.differences(stage.mean(exact), apart > limit, apart))
