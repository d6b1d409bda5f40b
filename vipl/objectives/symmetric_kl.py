"""The symmetric divergence of a guide and the posterior."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.objectives.made_by import made_by
from vipl.objectives.options import check_num_particles
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import normalised_weights, weighted_mean
from vipl.transform.expectation import Expectation


def symmetric_kl(num_particles: int) -> Expectation:
    """Symmetric divergence, with its sign turned: ½ E[mean_k log w_k − Σ_k w̃_k log w_k], in nats; maximised.

    With w = p(z, y)/q(z) over K draws of the guide and w̃_k ∝ w_k, it goes as K grows to −½ [KL(q‖p) + KL(p‖q)], where
    p is the posterior: the log evidence is in both, and cancels. It is 0 with no variance where the guide is the
    posterior, and negative for any draw elsewhere. Prefer it to `elbo` for a guide that shall neither miss a part of
    the posterior nor cover too much beside it, and to learn how far it is from the posterior: the unknown evidence has
    no part in it. It is no objective for a model's own parameters. Cost: K evaluations of the model and the guide.

    It is biased as a divergence. The mean over the posterior is estimated by self-normalised weights, whose error is
    of order 1/K and makes the divergence too small: Σ_k w̃_k log w_k is at most the largest of K log weights. A part of
    the posterior that none of K draws has found does not count. The estimate is unbiased for its own mean at this K.

    Args:
        num_particles: K, at least 2; with 1 there would be nothing to compare.

    Returns:
        An Expectation, called as `symmetric_kl(32)(key, model, guide)`. Its gradient is that of this mean over K draws,
        by each choice's own estimator, at every order. Particles share the indices of subsampled plates.

    Requirements: those of `iwelbo`.

    Raises:
        ParameterError: K is not an int of at least 2.
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
        >>> value = objectives.symmetric_kl(32)(jax.random.key(0), model(1.0), guide(-1.0))
        >>> bool(value < 0)
        True

    Source: Jeffreys 1946, Proc. R. Soc. Lond. A 186, whose divergence is twice this one. It is half of the distance
    between the left and the right sum of the thermodynamic integral with the partition (0, 1), see `tvo`.
    """
    check_num_particles(num_particles, "symmetric_kl", 2)

    def objective(model, guide):
        model, guide = with_shared_subsamples(model, guide)
        log_weights = over_particles(lambda: log_weight(model, draw(guide)), num_particles)
        of_guide = jnp.mean(log_weights)
        of_posterior = weighted_mean(normalised_weights(log_weights, 1.0), log_weights)
        return 0.5 * (of_guide - of_posterior)

    return made_by(symmetric_kl, objective)
