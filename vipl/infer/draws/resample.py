"""Draws of a guide picked anew by their importance weights: about draws of the posterior."""

from __future__ import annotations

import jax
import numpy as np

from vipl.infer.draws.weighed import Weighed


class Resampled(dict):
    """Draws by address, each with a leading axis, that were picked by their weights.

    Attributes:
        khat: of the weights; up to `threshold` the draws are about those of the posterior.
        threshold: the k̂ up to which as many weights serve.
        effective_sample_size: how many independent posterior draws the weights are worth; more draws than that say no
            more.
        num_distinct: how many of the draws are different.
    """

    def __init__(self, draws, found, num_distinct):
        super().__init__(draws)
        self.khat, self.threshold = float(found.khat), float(found.threshold)
        self.effective_sample_size = float(found.effective_sample_size)
        self.num_distinct = num_distinct


def resample(weighed: Weighed, key, num_samples: int) -> Resampled:
    """Pick draws by their smoothed weights, systematically, and shuffle them.

    One uniform number places a comb of `num_samples` teeth over the weights, which gives every draw the right expected
    count with less variance than independent picks.

    Source: Douc and Cappé 2005, ISPA, "Comparison of resampling schemes for particle filtering".
    """
    key_comb, key_order = jax.random.split(key)
    ends = np.cumsum(weighed.weights)
    teeth = (np.arange(num_samples) + float(jax.random.uniform(key_comb))) / num_samples
    picked = np.minimum(np.searchsorted(ends / ends[-1], teeth, side="right"), weighed.num_draws - 1)
    order = np.asarray(jax.random.permutation(key_order, num_samples))
    parts, start = [], 0
    for draws in weighed.draws():
        length = len(next(iter(draws.values())))
        own = picked[(start <= picked) & (picked < start + length)] - start
        parts.append(jax.tree.map(lambda x, own=own: x[own], draws))
        start += length
    return Resampled(
        {value.address: np.concatenate([part[value.address] for part in parts])[order] for value in weighed.values},
        weighed.psis,
        len(np.unique(picked)),
    )
