"""The variational Rényi bound."""

from __future__ import annotations

from vipl.objectives.options import check_alpha, check_gradient, check_num_particles
from vipl.objectives.particle_bound import particle_bound
from vipl.transform.expectation import Expectation


def renyi(alpha: float, num_particles: int, gradient: str = "plain") -> Expectation:
    """Rényi bound of order α: E (1/(1 − α)) log mean_k w_k^(1−α), w_k = p(z_k, y)/q(z_k), in nats; maximised.

    It falls as α grows: α = 0 is `iwelbo`, α = 1 (a limit) the evidence lower bound, α > 1 lies below. Prefer it to
    `iwelbo` to choose what the guide cares for: the smaller α, the more it covers the posterior; the larger, the more
    it keeps inside. For α in [0, 1] it is a lower bound of the log evidence; with α < 0 it may exceed it. The mean is
    over K draws, so the objective is that of order α only as K grows; for K = 1 it is the evidence lower bound
    whatever α is. Cost: K evaluations of the model and the guide.

    Args:
        alpha: the order, any finite number.
        num_particles: K, at least 1.
        gradient: "plain" differentiates each choice by its own estimator, at every order. "dreg" is doubly
            reparameterised: less variance, exactly zero where the guide is the posterior, for guides whose every choice
            is by `Reparam`; it is right to first order, and refuses a second derivative.

    Returns:
        An Expectation, called as `renyi(0.5, 8)(key, model, guide)`. Particles share the indices of subsampled plates;
        with these it is the bound of the subsample's scaled density.

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
        ...     vipl.sample("x", dist.Normal(loc, 0.7))
        >>> objectives.renyi(0.5, 8)(jax.random.key(0), model(1.0), guide(0.5)).shape
        ()

    Source: Li and Turner 2016, arXiv 1602.02311, eqs. 7 and 9; "dreg": Tucker et al. 2019, arXiv 1810.04152, eq. 8,
    derived anew for any α in `vipl/objectives/dreg.py`.
    """
    alpha = check_alpha(alpha, "renyi")
    check_gradient(gradient, "renyi", ("plain", "dreg"))
    check_num_particles(num_particles, "renyi")
    return particle_bound(renyi, num_particles, alpha, gradient)
