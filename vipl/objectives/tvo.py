"""The thermodynamic variational objective."""

from __future__ import annotations

import itertools

from vipl.objectives.made_by import made_by
from vipl.objectives.options import check_num_particles, check_partition
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import normalised_weights, weighted_mean
from vipl.transform.expectation import Expectation


def tvo(partition, num_particles: int) -> Expectation:
    """Thermodynamic variational objective: E Σ_i (β_{i+1} − β_i) Σ_k w̃_k(β_i) log w_k, in nats; maximised.

    The log evidence is the integral over β in [0, 1] of the mean of log w, w = p(z, y)/q(z), over the path from guide
    to posterior, density ∝ q^(1−β) p^β; this is its left Riemann sum, a lower bound, with w̃_k(β) ∝ w_k^β over K draws
    of the guide. The partition (0, 1) is the evidence lower bound. Prefer it to `iwelbo` where that has little to say
    to the guide: a point near 0, such as 0.05, tightens the bound most. For finite K, the mean under the path is itself
    estimated. Cost: K evaluations of the model and the guide, whatever the partition is.

    Args:
        partition: increasing numbers, the first 0 and the last 1.
        num_particles: K, at least 1; with 1 it is the evidence lower bound.

    Returns:
        An Expectation, called as `tvo((0.0, 0.1, 1.0), 16)(key, model, guide)`. Its gradient is that of this mean over
        K draws, by each choice's own estimator, at every order. Particles share the indices of subsampled plates.

    Requirements: those of `iwelbo`.

    Raises:
        ParameterError: the partition does not go from 0 to 1; K is not a positive int.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.
        EstimatorError: an estimator needs too many values.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y):
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 0.7))
        >>> objectives.tvo((0.0, 0.1, 1.0), 16)(jax.random.key(0), model(1.0), guide(0.5)).shape
        ()

    Source: Masrani, Le and Wood 2019, arXiv 1907.00031, eqs. 7 and 10.
    """
    partition = check_partition(partition, "tvo")
    check_num_particles(num_particles, "tvo")

    def objective(model, guide):
        model, guide = with_shared_subsamples(model, guide)
        log_weights = over_particles(lambda: log_weight(model, draw(guide)), num_particles)
        total = 0.0
        for start, end in itertools.pairwise(partition):
            weights = normalised_weights(log_weights, start)
            total = total + (end - start) * weighted_mean(weights, log_weights)
        return total

    return made_by(tvo, objective)
