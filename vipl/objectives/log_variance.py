"""The log-variance divergence."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.objectives.made_by import made_by
from vipl.objectives.options import check_num_particles
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.tracing.propose import propose
from vipl.transform.expectation import Expectation


def log_variance(num_particles: int) -> Expectation:
    """Log-variance divergence: −½ E Var_k log w_k over K draws of the guide, w = p(z, y)/q(z); maximised.

    At most 0, and 0 with no variance at all where the guide is the posterior. The draws are constants to the
    derivative: in the guide's parameters its gradient has the mean of the evidence lower bound's, estimated by the
    score with the other draws as baseline ("VarGrad"). Prefer it to `elbo` for discrete guides, at K evaluations of the
    model and the guide. It is no objective for a model's own parameters.

    Args:
        num_particles: K, at least 2.

    Returns:
        An Expectation, called as `log_variance(8)(key, model, guide)`; of log weights in nats, squared.

    Requirements: a guide that samples exactly the model's latent sites; any estimator.

    Raises:
        ParameterError: K is not an int of at least 2.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model():
        ...     b = vipl.sample("b", dist.Bernoulli(0.4))
        ...     vipl.sample("y", dist.Normal(b, 1.0), obs=0.8)
        >>> @vipl.program
        ... def guide(logit):
        ...     vipl.sample("b", dist.Bernoulli(logits=logit))
        >>> objectives.log_variance(8)(jax.random.key(0), model(), guide(0.3)).shape
        ()

    Source: Richter et al. 2020, arXiv 2010.10436, eqs. 4, 7 and 8.
    """
    check_num_particles(num_particles, "log_variance", 2)

    def objective(model, guide):
        model, guide = with_shared_subsamples(model, guide)
        log_weights = over_particles(lambda: log_weight(model, draw(guide, propose)), num_particles)
        return -0.5 * jnp.var(log_weights, ddof=1)

    return made_by(log_variance, objective)
