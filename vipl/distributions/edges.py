"""Moving a draw that landed on the edge of its support to the nearest float inside.

    nudge_inside(constraints.positive, jnp.array([0.0, 1.0]))    # [1.18e-38, 1.0]

In float32 a Gamma(0.01, 1) draw is exactly 0 in 42 % of cases, a Beta draw 0 or 1, an inverse Gamma
draw infinite. There a density is infinite or NaN. The nearest *normal* float is taken: XLA flushes smaller
ones to zero.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpyro.distributions import constraints

from vipl._core.compat import is_tracer


def nudge_inside(constraint, value):
    """Return `value` with draws on an edge of an interval-like `constraint` moved inside."""
    while isinstance(constraint, constraints.independent):
        constraint = constraint.base_constraint
    if constraint.is_discrete or not jnp.issubdtype(value.dtype, jnp.floating):
        return value
    low, high = (getattr(constraint, name, None) for name in ("lower_bound", "upper_bound"))
    if low is None and high is None:
        return value
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    return between(value, _next_inside(low, +1, value.dtype), _next_inside(high, -1, value.dtype))


def open_uniform(u):
    """Move uniforms on [0, 1) into the open interval, half a grid step up, so that both tails are finite."""
    half = float(jnp.finfo(u.dtype).eps) / 2
    return jnp.minimum(u + half, 1 - half)


def exponent_inside(value):
    """Return an exponent moved to where its exponential is a normal float.

    A bound on the exponent leaves the compiler to simplify what is done to the exponential, its logarithm say; one on
    the exponential does not.
    """
    limits = jnp.finfo(value.dtype)
    margin = 2.0**-8  # more than the logarithm and the exponential round
    low, high = np.log(float(limits.tiny)) + margin, np.log(float(limits.max)) - margin
    return between(value, np.asarray(low, value.dtype), np.asarray(high, value.dtype))


@jax.custom_jvp
def between(value, low, high):
    """Return the value moved between the bounds, with its own derivative: it moves for want of floats, not by law."""
    return jnp.minimum(jnp.maximum(value, low), high)


@between.defjvp
def _between_jvp(primals, tangents):
    return between(*primals), tangents[0]


def _next_inside(bound, direction: int, dtype):
    """Return the nearest normal float above (`direction` 1) or below (-1) `bound`."""
    tiny = jnp.finfo(dtype).tiny
    known = not is_tracer(bound)
    xp = np if known else jnp
    bound = xp.asarray(bound if known else lax.stop_gradient(bound), dtype)  # `nextafter` has no derivative
    inside = xp.nextafter(bound, xp.asarray(direction * np.inf, dtype))
    inside = xp.where(abs(inside) < tiny, xp.asarray(direction * tiny, dtype), inside)
    return inside.astype(dtype)
