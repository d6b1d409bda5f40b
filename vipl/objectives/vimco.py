"""VIMCO: each particle's score is multiplied by what the particle adds to the objective, not by all of it."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl.objectives.first_order import ghost
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import log_power_mean
from vipl.objectives.scores import log_density_of_scored


def vimco(model, guide, num_particles: int, alpha: float):
    """Return log (mean_k w_k^(1−α))^(1/(1−α)) with a control variate for the scores of a guide.

    Source: Mnih and Rezende 2016, arXiv 1602.06725, eqs. 7, 9 and 10, there for α = 0.
    """
    model, guide = with_shared_subsamples(model, guide)

    def particle():
        trace = draw(guide)
        return log_weight(model, trace), log_density_of_scored(guide, trace)

    log_weights, scored = over_particles(particle, num_particles)
    control = ghost(scored, -baselines(log_weights, 1 - alpha), "vimco")
    return log_power_mean(log_weights, 1 - alpha) + jnp.sum(control)


def baselines(log_weights, exponent: float):
    """Return for each particle the objective with its log weight replaced by the mean of the others'.

    Args:
        log_weights: `(num_particles,)`.
        exponent: that of the power mean.

    Returns:
        `(num_particles,)`, in nats; 0 where that is not finite.
    """
    own = jnp.eye(log_weights.size, dtype=bool)
    means = jnp.sum(jnp.where(own, 0.0, log_weights), axis=1, keepdims=True) / (log_weights.size - 1)
    without = jax.vmap(lambda row: log_power_mean(row, exponent))(jnp.where(own, means, log_weights))
    return jnp.where(jnp.isfinite(without), without, 0.0)
