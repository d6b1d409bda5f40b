"""The evidence lower bound with the path gradient."""

from __future__ import annotations

from vipl.objectives.particles import draw
from vipl.objectives.path import path_log_density
from vipl.objectives.requirements import refuse_other_subsamples
from vipl.tracing.log_density import log_density
from vipl.transform.expectation import Expectation


def _path_elbo(model, guide):
    """Evidence lower bound, E[log p(z, y) − log q(z)], differentiated through the draws alone; maximised, in nats.

    The objective is that of `elbo`. The score ∂ log q(z; θ)/∂θ at the value drawn has mean zero and is dropped, at
    every order of differentiation and for parameters that the guide reaches by closure, too. Prefer it to `elbo` for
    guides that can come close to the posterior: there the gradient's variance goes to zero ("sticking the landing"),
    where that of `elbo` does not. For normalising flows it is the path gradient. Far from the posterior, `elbo` may
    vary less. Cost: one more evaluation of the guide's density.

    Args:
        model: a conditioned Program.
        guide: a Program that samples exactly the model's latent sites.

    Returns:
        Called as `path_elbo(key, model, guide)`: an unbiased estimate, a scalar.

    Requirements: a guide whose every choice is by `Reparam`. It evaluates log q at given values, for which a
    transformed distribution needs an inverse.

    Raises:
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.
        ShapeError: the shape of a site differs, or the subsampled plates around it.
        EstimatorError: a choice is not by `Reparam`, or the guide has a factor.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y):
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 0.5 ** 0.5))
        >>> gradient = jax.grad(lambda loc: objectives.path_elbo(jax.random.key(0), model(1.0), guide(loc)))
        >>> round(abs(float(gradient(0.5))), 5)  # the posterior
        0.0

    Source: Roeder et al. 2017, arXiv 1703.09194, eq. 8; for flows, Vaitl et al. 2022, arXiv 2206.09016.
    """
    refuse_other_subsamples(model, guide)
    trace = draw(guide)
    return log_density(model, trace) - path_log_density(guide, trace)


_path_elbo.__name__ = "path_elbo"
path_elbo = Expectation(_path_elbo, pathwise_only=True)
