"""Reweighted wake-sleep: the two objectives of the wake phase."""

from __future__ import annotations

from jax import lax

from vipl.objectives.made_by import made_by
from vipl.objectives.options import check_num_particles
from vipl.objectives.particles import draw, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import normalised_weights, weighted_mean
from vipl.tracing.log_density import log_density
from vipl.tracing.propose import propose
from vipl.transform.expectation import Expectation


def wake_p(num_particles: int) -> Expectation:
    """Wake phase of the model: E Σ_k w̃_k log p(z_k, y) over K draws of the guide, in nats; maximised.

    The weights w̃_k ∝ p(z_k, y)/q(z_k) are constants to the derivative, and so is the guide: its gradient in the model's
    parameters is that of `iwelbo(K)`, and the guide has none. Prefer it, with `wake_q` for the guide, where the
    guide's choices are discrete: no derivative passes through a draw, so that nothing needs a score.

    Args:
        num_particles: K, at least 1; with 1 the draw's weight is 1. The more, the closer w̃ is to the posterior.

    Returns:
        An Expectation, called as `wake_p(16)(key, model, guide)`. Particles share the indices of subsampled plates.

    Requirements: a guide that samples exactly the model's latent sites; any estimator. `Enumerate` sums all
    combinations of K particles, where they are few.

    Raises:
        ParameterError: K is not a positive int.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(p):
        ...     b = vipl.sample("b", dist.Bernoulli(p))
        ...     vipl.sample("y", dist.Normal(b, 1.0), obs=0.8)
        >>> @vipl.program
        ... def guide(logit):
        ...     vipl.sample("b", dist.Bernoulli(logits=logit))
        >>> learn_model = lambda key, p, logit: objectives.wake_p(16)(key, model(p), guide(logit))
        >>> jax.grad(learn_model, argnums=2)(jax.random.key(0), 0.4, 0.3).item()
        0.0

    Source: Bornschein and Bengio 2015, arXiv 1406.2751, eq. 7.
    """
    return _wake(wake_p, num_particles, lambda log_p, log_q: log_p)


def wake_q(num_particles: int) -> Expectation:
    """Wake phase of the guide: E Σ_k w̃_k log q(z_k) over K draws of the guide, in nats; maximised.

    The weights w̃_k ∝ p(z_k, y)/q(z_k) are constants to the derivative, and so are the draws: the gradient in the
    guide's parameters is minus that of KL(posterior‖guide), as K grows, and the model has none. The guide comes to
    cover the posterior. Unlike that of `iwelbo` its signal does not fade with K. See `wake_p` for the model.

    Args:
        num_particles: K, at least 1; with 1 the gradient has mean zero, so take several.

    Returns:
        An Expectation, called as `wake_q(16)(key, model, guide)`. Particles share the indices of subsampled plates.

    Requirements: those of `wake_p`. It evaluates log q at given values, for which a transformed distribution needs an
    inverse.

    Raises:
        ParameterError: K is not a positive int.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(p):
        ...     b = vipl.sample("b", dist.Bernoulli(p))
        ...     vipl.sample("y", dist.Normal(b, 1.0), obs=0.8)
        >>> @vipl.program
        ... def guide(logit):
        ...     vipl.sample("b", dist.Bernoulli(logits=logit))
        >>> learn_guide = lambda key, p, logit: objectives.wake_q(16)(key, model(p), guide(logit))
        >>> jax.grad(learn_guide, argnums=1)(jax.random.key(0), 0.4, 0.3).item()
        0.0

    Source: Bornschein and Bengio 2015, arXiv 1406.2751, eq. 9; Le et al. 2019, arXiv 1805.10469, §3, for the signal.
    """
    return _wake(wake_q, num_particles, lambda log_p, log_q: log_q)


def _wake(maker, num_particles: int, learned) -> Expectation:
    """Return the expectation of the weighted mean of `learned(log_p, log_q)`."""
    check_num_particles(num_particles, maker.__name__)

    def objective(model, guide):
        model, guide = with_shared_subsamples(model, guide)

        def particle():
            trace = draw(guide, propose)
            return log_density(model, trace), trace.log_density

        log_p, log_q = over_particles(particle, num_particles)
        weights = lax.stop_gradient(normalised_weights(log_p - log_q, 1.0))
        return weighted_mean(weights, learned(log_p, log_q))

    return made_by(maker, objective)
