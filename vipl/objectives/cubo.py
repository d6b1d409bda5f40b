"""The χ upper bound of the evidence."""

from __future__ import annotations

from vipl.objectives.options import check_gradient, check_num_particles, check_order
from vipl.objectives.particle_bound import particle_bound
from vipl.transform.expectation import Expectation


def cubo(order: float, num_particles: int, gradient: str = "plain") -> Expectation:
    """χ upper bound, with its sign turned: −E (1/n) log mean_k w_k^n, w_k = p(z_k, y)/q(z_k), in nats; maximised.

    As K grows this goes to −(1/n) log E w^n, and minus it is at least the log evidence log p(y), and equal to it where
    the guide is the posterior: with `elbo` it encloses the evidence. Prefer it for a guide that must not miss a part of
    the posterior, a proposal of importance sampling say: n = 2 makes the variance of the weights least. For finite K
    the mean over draws lies below the bound's, by much where the weights are heavy-tailed: it then encloses nothing.
    Cost: K evaluations of the model and the guide.

    Args:
        order: n, a positive number; 2 is usual.
        num_particles: K, at least 1; the more, the closer to the bound.
        gradient: "plain" differentiates each choice by its own estimator, at every order; "dreg" is doubly
            reparameterised, as in `renyi`.

    Returns:
        An Expectation, called as `cubo(2.0, 64)(key, model, guide)`.

    Requirements: those of `iwelbo`.

    Raises:
        ParameterError: an argument is not one of these.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.
        EstimatorError: "dreg", and a choice is not by `Reparam`; an estimator needs too many values.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y):
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 0.9))
        >>> objectives.cubo(2.0, 64)(jax.random.key(0), model(1.0), guide(0.5)).shape
        ()

    Source: Dieng et al. 2017, arXiv 1611.00328, eq. 2: it is minus the Rényi bound of order 1 − n.
    """
    order = check_order(order, "cubo")
    check_gradient(gradient, "cubo", ("plain", "dreg"))
    check_num_particles(num_particles, "cubo")
    return particle_bound(cubo, num_particles, 1 - order, gradient, sign=-1)
