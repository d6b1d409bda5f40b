"""Doubly reparameterised gradients: the guide's score in a particle objective is reparameterised once more."""

from __future__ import annotations

import dataclasses

import jax

from vipl.objectives.first_order import scaled
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.objectives.path import path_log_density
from vipl.objectives.power_mean import log_power_mean, normalised_weights
from vipl.tracing.log_density import log_density


def dreg(model, guide, num_particles: int, alpha: float):
    """Return log (mean_k w_k^(1−α))^(1/(1−α)), doubly reparameterised; the guide must be reparameterised.

    With w̃_k ∝ w_k^(1−α), the derivative in the guide's parameters has the terms w̃_k (∂log w_k/∂z_k · ∂z_k − ∇log q).
    Since E w̃_k ∇log q(z_k) = E ∂w̃_k/∂z_k · ∂z_k, they may be replaced by w̃_k (α + (1 − α) w̃_k) ∂log w_k/∂z_k · ∂z_k.
    The model's own parameters keep w̃_k.

    Source: Tucker et al. 2019, arXiv 1810.04152, eq. 8, there for α = 0.
    """
    model, guide = with_shared_subsamples(model, guide)
    traces = over_particles(lambda: draw(guide), num_particles)
    log_weights = over_particles(lambda trace: log_weight(model, trace), num_particles, traces)
    factors = alpha + (1 - alpha) * normalised_weights(log_weights, 1 - alpha)

    def again(trace, factor):  # the same values: XLA computes them once
        choices = jax.tree.map(lambda x: scaled(x, factor, "dreg"), trace.choices)
        guide_density = scaled(path_log_density(guide, trace), factor, "dreg")
        return log_density(model, dataclasses.replace(trace, choices=choices)) - guide_density

    return log_power_mean(over_particles(again, num_particles, traces, factors), 1 - alpha)
