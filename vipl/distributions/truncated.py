"""Draws of a law on the reals that is symmetric about `loc`, cut off below, above, or both.

    push(dist.TruncatedNormal(0.0, 1.0, low=0.0), jnp.array(0.5), ())    # 0.6745, the median

By the inverse of the distribution function, from whichever end is nearer: the other rounds to one in the tail.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpyro.distributions as dist

from vipl.distributions.edges import open_uniform


def push(d, noise, batch_shape):
    """Return the draw that uniform noise stands for; of the shape of the noise."""
    base, u = d.base_dist, open_uniform(noise)
    below_low, above_low = _levels(base, getattr(d, "low", None), (0.0, 1.0))
    below_high, above_high = _levels(base, getattr(d, "high", None), (1.0, 0.0))
    below = (1 - u) * below_low + u * below_high
    above = (1 - u) * above_low + u * above_high
    is_low = below < above
    distance = _depth(base, jnp.where(is_low, below, above))
    return base.loc + jnp.where(is_low, -distance, distance)


def _depth(base, level):
    """Return how far below `loc` the quantile of a level is, at most a half; to the precision of the level."""
    if type(base) is dist.Cauchy:
        return jnp.asarray(base.scale) / jnp.tan(jnp.pi * level)
    if type(base) is dist.Laplace:
        return -jnp.asarray(base.scale) * jnp.log(2 * level)
    return base.loc - base.icdf(level)


def _levels(base, bound, of_none):
    """Return the mass below and above a bound, `of_none` where there is none."""
    if bound is None:
        return of_none
    return base.cdf(bound), base.cdf(2 * base.loc - bound)
