"""Power means of importance weights, from their logarithms.

>>> import jax.numpy as jnp
>>> from vipl.objectives.power_mean import log_power_mean
>>> round(float(log_power_mean(jnp.log(jnp.array([1.0, 3.0])), 1.0)), 4)  # log 2
0.6931
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

_SMALL = 0.01


def log_power_mean(log_weights, exponent: float):
    """Return log (mean_k w_k^e)^(1/e): of the arithmetic mean for e = 1, of the geometric mean for e = 0.

    Where it is infinite (all weights are zero; or one, and e < 0) its derivative is zero.

    Args:
        log_weights: `(num_particles,)`, in nats.
        exponent: e.
    """
    if exponent == 0:
        return jnp.mean(log_weights)
    powers, top = _powers(log_weights, exponent)
    excess = powers - jnp.where(jnp.isfinite(top), top, 0.0)
    # Near e = 0 all powers are near 1, and their logarithm is divided by e.
    small = abs(exponent) < _SMALL
    log_mean = jnp.log1p(jnp.mean(jnp.expm1(excess))) if small else jnp.log(jnp.mean(jnp.exp(excess)))
    return (log_mean + top) / exponent


def normalised_weights(log_weights, exponent: float):
    """Return w_k^e / Σ_j w_j^e, of shape `(num_particles,)`: the derivative of `log_power_mean` in log w_k."""
    if exponent == 0:
        return jnp.full(log_weights.shape, 1 / log_weights.size)
    return jax.nn.softmax(_powers(log_weights, exponent)[0])


def weighted_mean(weights, values):
    """Return Σ_k w_k v_k; a value of weight zero has no part in it, though it be infinite."""
    return jnp.sum(weights * jnp.where(weights > 0, values, 0.0))


def _powers(log_weights, exponent):
    """Return e·log w_k, or zeros if the largest is not finite; and the largest, without derivative."""
    powers = exponent * log_weights
    top = lax.stop_gradient(jnp.max(powers))
    return jnp.where(jnp.isfinite(top), powers, 0.0), top
