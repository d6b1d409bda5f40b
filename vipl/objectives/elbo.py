"""The evidence lower bound."""

from __future__ import annotations

from vipl.objectives.requirements import refuse_observations, refuse_other_subsamples
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import simulate
from vipl.transform.expectation import expectation


@expectation
def elbo(model, guide):
    """Evidence lower bound: E[log p(z, y) − log q(z)] over draws z of the guide, in nats; maximised.

    At most the log evidence log p(y), and equal to it when the guide is the posterior.

    Args:
        model: a conditioned Program.
        guide: a Program that samples exactly the model's latent sites.

    Returns:
        Called as `elbo(key, model, guide)`: an unbiased estimate, a scalar.

    Raises:
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
        >>> objectives.elbo(jax.random.key(0), model(1.0), guide(0.5)).shape
        ()

    Source: Jordan et al. 1999; Becker et al. 2024, arXiv 2406.15742, §2.
    """
    refuse_other_subsamples(model, guide)
    trace = simulate(guide)
    refuse_observations(trace)
    return log_density(model, trace) - trace.log_density
