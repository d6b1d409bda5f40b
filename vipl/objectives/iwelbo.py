"""The importance-weighted evidence lower bound."""

from __future__ import annotations

from vipl.objectives.options import check_gradient, check_num_particles
from vipl.objectives.particle_bound import particle_bound
from vipl.transform.expectation import Expectation


def iwelbo(num_particles: int, gradient: str = "plain") -> Expectation:
    """Importance-weighted bound: E log mean_k p(z_k, y)/q(z_k) over K draws of the guide, in nats; maximised.

    It lies between the evidence lower bound (K = 1) and the log evidence log p(y), which it approaches as K grows; the
    gap is about Var[p(z, y)/q(z)] / (2K p(y)²). Prefer it to `elbo` to learn a model's parameters with a guide that
    cannot match the posterior. The guide that is best for it covers the posterior rather than fitting inside. Cost: K
    evaluations of the model and the guide.

    With K the gradient in the guide's parameters shrinks faster than its noise: the signal-to-noise ratio of "plain"
    falls as 1/√K. That of "dreg" grows as √K, and it is exactly zero where the guide is the posterior.

    Args:
        num_particles: K, at least 1; at least 2 for "vimco".
        gradient: "plain" differentiates each choice by its own estimator, at every order. "dreg" is doubly
            reparameterised: for guides whose every choice is by `Reparam`. "vimco" takes from each particle's score
            what the other particles say of the value: for guides of discrete choices. The last two are right to first
            order, and refuse a second derivative. "vimco" serves the sites that ask for `ScoreFunction` in the guide,
            or for nothing and have no differentiable sampler; it does not see what `with_estimators` says.

    Returns:
        An Expectation, called as `iwelbo(8)(key, model, guide)`. Particles share the indices of subsampled plates;
        with these it is the bound of the subsample's scaled density.

    Requirements: a guide that samples exactly the model's latent sites. Estimators of W values evaluate all W^K
    combinations, where asked for; `Auto` takes `ScoreFunction` instead. "dreg" evaluates log q at given values, for
    which a transformed distribution needs an inverse.

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
        >>> bound = objectives.iwelbo(8, gradient="dreg")
        >>> gradient = jax.grad(bound, argnums=2)(jax.random.key(0), model(1.0), guide(0.5))

    Source: Burda et al. 2016, arXiv 1509.00519, eq. 8; "dreg": Tucker et al. 2019, arXiv 1810.04152, eq. 8; "vimco":
    Mnih and Rezende 2016, arXiv 1602.06725, eqs. 7, 9 and 10; the ratios: Rainforth et al. 2018, arXiv 1802.04537, §3.
    """
    check_gradient(gradient, "iwelbo", ("plain", "dreg", "vimco"))
    check_num_particles(num_particles, "iwelbo", 2 if gradient == "vimco" else 1)
    return particle_bound(iwelbo, num_particles, 0.0, gradient)
