"""Monotone rational-quadratic splines: increasing curves on an interval, the identity outside."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl.transform.soundness.continuous import continuous

_BOUND = 5.0  # half the length of the interval
_LEAST = 0.01  # the share of a bin
_STEEPEST = 3.0  # log of a slope


def num_parameters(num_bins: int) -> int:
    """Return how many parameters a spline has: none, if it has no bins and is the identity."""
    return max(3 * num_bins - 1, 0)


def bounded(log_scale):
    """Return a log scale that is kept from where its exponential overflows or vanishes."""
    return _STEEPEST * jnp.tanh(log_scale / _STEEPEST)


def bend(raw, x):
    """Return the value of splines at x, `(d,)`, and the log of the slope; where `raw` is zero, x itself and 0.

    Args:
        raw: `(d, num_parameters)`: shares of the widths of the bins, of their heights, and inner slopes.
        x: `(d,)`.

    Source: Durkan et al. 2019 (neural spline flows), NeurIPS, eq. 4 and appendix A.
    """
    return _bend(raw, x) if raw.shape[-1] else (x, jnp.zeros_like(x))


def unbend(raw, y):
    """Return the x whose value is y, and the log of the slope there."""
    return _unbend(raw, y) if raw.shape[-1] else (y, jnp.zeros_like(y))


@continuous
def _bend(raw, x):
    inside, width, height, slope, left, right, x0, y0 = _bin(raw, x, of_values=False)
    share = jnp.clip((x - x0) / width, 0.0, 1.0)
    value = y0 + height * (slope * share**2 + left * share * (1 - share)) / _weight(slope, left, right, share)
    return jnp.where(inside, value, x), jnp.where(inside, _log_slope(slope, left, right, share), 0.0)


@continuous
def _unbend(raw, y):
    inside, width, height, slope, left, right, x0, y0 = _bin(raw, y, of_values=True)
    rise = jnp.clip((y - y0) / height, 0.0, 1.0)
    bulge = rise * (left + right - 2 * slope)
    a, b, c = slope - left + bulge, left - bulge, -slope * rise
    root = jnp.sqrt(jnp.maximum(b**2 - 4 * a * c, 0.0))
    share = jnp.clip(2 * c / (-b - root), 0.0, 1.0)
    return jnp.where(inside, x0 + width * share, y), jnp.where(inside, _log_slope(slope, left, right, share), 0.0)


def _bin(raw, at, of_values):
    """Return whether a point is inside, and what there is to know of its bin."""
    num_bins = (raw.shape[-1] + 1) // 3
    knots = [_knots(raw[:, :num_bins]), _knots(raw[:, num_bins : 2 * num_bins])]
    slopes = jnp.exp(bounded(raw[:, 2 * num_bins :]))
    slopes = jnp.pad(slopes, ((0, 0), (1, 1)), constant_values=1.0)
    inner = knots[of_values][:, 1:-1]
    number = jnp.sum(at[:, None] >= inner, -1, keepdims=True)

    def pick(values):
        return jnp.take_along_axis(values, number, 1)[:, 0]

    width, height = (pick(jnp.diff(k)) for k in knots)
    inside = jnp.abs(at) < _BOUND
    return inside, width, height, height / width, pick(slopes), pick(slopes[:, 1:]), *map(pick, knots)


def _knots(raw):
    share = _LEAST + (1 - _LEAST * raw.shape[-1]) * jax.nn.softmax(raw)
    inner = -_BOUND + 2 * _BOUND * jnp.cumsum(share[:, :-1], -1)
    return jnp.pad(jnp.pad(inner, ((0, 0), (1, 0)), constant_values=-_BOUND), ((0, 0), (0, 1)), constant_values=_BOUND)


def _weight(slope, left, right, share):
    return slope + (left + right - 2 * slope) * share * (1 - share)


def _log_slope(slope, left, right, share):
    ascent = right * share**2 + 2 * slope * share * (1 - share) + left * (1 - share) ** 2
    return 2 * jnp.log(slope) + jnp.log(ascent) - 2 * jnp.log(_weight(slope, left, right, share))
