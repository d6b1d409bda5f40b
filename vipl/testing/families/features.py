"""The features of a scalar value: one without a jump, and one with a jump at a threshold."""

from __future__ import annotations

import jax.numpy as jnp


def wave(x):
    """Return a smooth feature."""
    return jnp.sin(1.3 * x)


def step(threshold):
    """Return a feature that jumps at a threshold."""
    return lambda x: 0.4 * jnp.sin(1.3 * x) + jnp.where(x > threshold, 0.6, -0.2)
