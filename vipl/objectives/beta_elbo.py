"""The evidence lower bound with a weight on what the guide tells of the data."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.objectives.made_by import made_by
from vipl.objectives.options import check_scalar
from vipl.objectives.particles import draw
from vipl.objectives.requirements import refuse_other_subsamples
from vipl.tracing.site_terms import site_terms
from vipl.transform.expectation import Expectation


def beta_elbo(beta: float) -> Expectation:
    """β-weighted bound: E[log p(y | z) − β (log q(z) − log p(z))] over draws z of the guide, in nats; maximised.

    β = 1 is `elbo`. β > 1 asks for codes that are closer to the prior (a lower bound of the evidence still), β < 1 for
    better reconstructions. What is observed, and every `vipl.factor`, counts as log p(y | z).

    Args:
        beta: β, a number of at least 0, known when the objective is made, or an array, for a schedule.

    Returns:
        An Expectation, called as `beta_elbo(4.0)(key, model, guide)`.

    Requirements: a guide that samples exactly the model's latent sites; no site in a `while_loop`.

    Raises:
        ParameterError: β is negative, or no number.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.
        ShapeError: the shape of a site differs, or the subsampled plates around it.

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
        >>> objectives.beta_elbo(4.0)(jax.random.key(0), model(1.0), guide(0.5)).shape
        ()

    Source: Higgins et al. 2017, ICLR, eq. 4.
    """
    check_scalar(beta, "beta_elbo", "beta", "beta=4.0; 1.0 is the evidence lower bound")

    def objective(model, guide):
        refuse_other_subsamples(model, guide)
        trace = draw(guide)
        prior = evidence = 0.0
        for address, (_, term) in site_terms(model, trace).items():
            if address in trace.choices:
                prior = prior + jnp.sum(term)
            else:
                evidence = evidence + jnp.sum(term)
        return evidence + beta * prior - beta * trace.log_density

    return made_by(beta_elbo, objective)
