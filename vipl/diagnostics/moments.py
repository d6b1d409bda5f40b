"""Moments of draws as they are, and corrected by importance weights, with the Monte Carlo error of the difference.

A guide may have light-tailed weights and be wrong all the same: its means off, its spread too small. The weighted
moments of the same draws show by how much, and what they are worth.

>>> import numpy as np
>>> x = np.random.default_rng(0).standard_normal((4000, 1))         # a guide Normal(0, 1), of Normal(0.5, 1)
>>> weights = np.exp(0.5 * x[:, 0])
>>> found = corrected_moments(weights / weights.sum(), [x])
>>> bool(abs(found.shift[0] + 0.5) < 3 * found.shift_se[0] < 0.1)
True
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

_ROUNDING = 1e-9  # spreads that are this small a share of the mean are rounding


@dataclasses.dataclass(frozen=True, eq=False)
class CorrectedMoments:
    """Mean and standard deviation of each of `D` values, under the guide and corrected; all `(D,)`, float64.

    Attributes:
        mean, sd: of the draws as they are.
        corrected_mean, corrected_sd: of the weighted draws.
        corrected_mean_se: Monte Carlo standard error of `corrected_mean`.
        shift: `mean` minus `corrected_mean`, in `corrected_sd`.
        shift_se: its Monte Carlo standard error, in the same unit; the draws of both means are the same.
        sd_ratio: `sd` over `corrected_sd`; below 1 the guide is too narrow. 1 where both are 0, up to rounding.
        sd_ratio_se: its Monte Carlo standard error.
    """

    mean: np.ndarray
    sd: np.ndarray
    corrected_mean: np.ndarray
    corrected_sd: np.ndarray
    corrected_mean_se: np.ndarray
    shift: np.ndarray
    shift_se: np.ndarray
    sd_ratio: np.ndarray
    sd_ratio_se: np.ndarray

    @property
    def constant(self) -> np.ndarray:
        """Which values do not vary; `(D,)`."""
        return np.maximum(self.sd, self.corrected_sd) <= _ROUNDING * np.abs(self.mean)

    @property
    def distance(self) -> np.ndarray:
        """How far the guide is off: the greater of the shift and the log sd ratio; inf if not finite; `(D,)`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(np.maximum(np.abs(self.shift), np.abs(np.log(self.sd_ratio))), nan=np.inf)


def corrected_moments(weights: np.ndarray, chunks) -> CorrectedMoments:
    """Compare the moments of draws with those of the same draws, weighted.

    One pass over the draws, which need not be in memory together. Errors are those of self-normalised importance
    sampling to first order (the delta method), and mean little where the weights have no variance: see `psis`.

    Args:
        weights: normalised to sum to 1; `(num_draws,)`.
        chunks: the draws, in order, in arrays `(n, D)` with `n` adding up to `num_draws`.

    Returns:
        `CorrectedMoments`; NaN where a draw is not finite.

    Source: Owen 2013, Monte Carlo theory, methods and examples, §9.2.
    """
    with np.errstate(all="ignore"):
        center, sums = _power_sums(np.asarray(weights, np.float64), chunks)
        return _compare(center, sums, 1.0 / len(weights))


def _power_sums(weights, chunks):
    """Return a center c, and Σ ω (x − c)^k for k = 0, …, 4 and ω the equal weights, the weights, and their squares."""
    center, sums, start = None, 0.0, 0
    for values in chunks:
        values = np.asarray(values, np.float64)
        center = values.mean(axis=0) if center is None else center
        own = weights[start : start + len(values)]
        start += len(values)
        rows = np.stack([np.full_like(own, 1.0 / len(weights)), own, own**2])
        power, found = np.ones_like(values), []
        for k in range(5):
            power = power * (values - center) if k else power
            found.append(rows @ power)
        sums = sums + np.stack(found, axis=1)
    return center, sums


def _compare(center, sums, equal):
    about = sums[1, 1]  # the corrected mean, from the center; powers are taken about it from here on
    plain, weighted, squared = (_about(moments, about) for moments in sums)
    away = plain[1]
    variance, corrected_variance = plain[2] - away**2, weighted[2]
    sd, corrected_sd = np.sqrt(np.maximum(variance, 0.0)), np.sqrt(np.maximum(corrected_variance, 0.0))

    def standard_error(influence, plain_influence):
        """Return that of Σ w p(x) − Σ q(x) / n, for polynomials p and q."""
        products = (_times(influence, influence), _times(influence, plain_influence), _times(*[plain_influence] * 2))
        total = _mean(squared, products[0]) - 2 * equal * _mean(weighted, products[1])
        return np.sqrt(np.maximum(total + equal * _mean(plain, products[2]), 0.0))

    shift = away / corrected_sd
    shift_se = standard_error(
        [-0.5 * shift, 1 / corrected_sd, 0.5 * shift / corrected_variance],  # the unit is an estimate too
        [-shift, 1 / corrected_sd],
    )
    log_ratio_se = standard_error(
        [-0.5, 0.0, 0.5 / corrected_variance],
        [0.5 * (away**2 / variance - 1.0), -away / variance, 0.5 / variance],
    )
    constant = np.maximum(sd, corrected_sd) <= _ROUNDING * np.abs(center)
    ratio = np.where(constant, 1.0, sd / corrected_sd)
    return CorrectedMoments(
        mean=center + about + away,
        sd=sd,
        corrected_mean=center + about,
        corrected_sd=corrected_sd,
        corrected_mean_se=np.sqrt(np.maximum(squared[2], 0.0)),
        shift=np.where(constant, 0.0, shift),
        shift_se=np.where(constant, 0.0, shift_se),
        sd_ratio=ratio,
        sd_ratio_se=np.where(constant, 0.0, ratio * log_ratio_se),
    )


def _about(moments, point):
    """Return power sums about another point."""
    return [sum(math.comb(k, j) * (-point) ** (k - j) * moments[j] for j in range(k + 1)) for k in range(len(moments))]


def _times(p, q):
    """Multiply polynomials, given by their coefficients."""
    product = [0.0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            product[i + j] = product[i + j] + a * b
    return product


def _mean(moments, polynomial):
    return sum(coefficient * moment for coefficient, moment in zip(polynomial, moments, strict=False))
