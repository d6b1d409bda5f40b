"""Objectives of several particles: the maker that `iwelbo`, `renyi` and `cubo` share."""

from __future__ import annotations

from vipl.objectives.dreg import dreg
from vipl.objectives.made_by import made_by
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import log_power_mean
from vipl.objectives.vimco import vimco
from vipl.transform.expectation import Expectation


def particle_bound(maker, num_particles: int, alpha: float, gradient: str, sign: int = 1) -> Expectation:
    """Return the expectation of log (mean_k w_k^(1−α))^(1/(1−α)).

    Args:
        maker: the public function that it is made by.
        num_particles: how many particles there are.
        alpha: the order of the divergence; 0 for importance weighting.
        gradient: the name of the gradient.
        sign: −1 for an upper bound, which is maximised with its sign turned.
    """
    estimate = _GRADIENTS[gradient]

    def objective(model, guide):
        return sign * estimate(model, guide, num_particles, alpha)

    return made_by(maker, objective, pathwise_only=gradient == "dreg", own_baseline=gradient == "vimco")


def plain(model, guide, num_particles: int, alpha: float):
    """Return the objective as it stands: each choice is differentiated by its own estimator."""
    model, guide = with_shared_subsamples(model, guide)
    log_weights = over_particles(lambda: log_weight(model, draw(guide)), num_particles)
    return log_power_mean(log_weights, 1 - alpha)


_GRADIENTS = {"plain": plain, "dreg": dreg, "vimco": vimco}
