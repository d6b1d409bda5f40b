"""Reweighted wake-sleep: the wake phase of the model, and that of the guide."""

from __future__ import annotations

from vipl.objectives.options import check_num_particles
from vipl.objectives.weighted_draws import weighted_draws
from vipl.transform.expectation import Expectation


def wake_p(num_particles: int, plate: str | None = None) -> Expectation:
    """Wake phase of the model: E Σ_k w̃_k log p(z_k, y) over K draws of the guide, in nats; maximised.

    The weights w̃_k ∝ p(z_k, y)/q(z_k) are constants to the derivative, and so is the guide: its gradient in the model's
    parameters is that of `iwelbo(K)`, and the guide has none. Prefer it where the guide's choices are discrete: no
    derivative passes through a draw, so that nothing needs a score. See `wake_q` for the guide, and `wake` for both.

    Args:
        num_particles: K, at least 1; with 1 the draw's weight is 1. The more, the closer w̃ is to the posterior.
        plate: as that of `wake`, for weights of each datum.

    Returns:
        An Expectation, called as `wake_p(16)(key, model, guide)`. Particles share the indices of subsampled plates.

    Requirements: a guide that samples exactly the model's latent sites; any estimator. `Enumerate` sums all
    combinations of K particles, where they are few.

    Raises:
        ParameterError: K is not a positive int; the plate is not a name.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes; as for `wake`.
        SupportError: a guide site reaches beyond the support of the model's.
        ShapeError: as for `wake`.

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
    check_num_particles(num_particles, "wake_p")
    return weighted_draws(wake_p, num_particles, plate, lambda log_p, log_q: log_p)


def wake_q(num_particles: int, plate: str | None = None) -> Expectation:
    """Wake phase of the guide: E Σ_k w̃_k log q(z_k) over K draws of the guide, in nats; maximised.

    The weights w̃_k ∝ p(z_k, y)/q(z_k) are constants to the derivative, and so are the draws: the gradient in the
    guide's parameters is minus that of KL(posterior‖guide), as K grows, and the model has none. The guide comes to
    cover the posterior. Unlike that of `iwelbo` its signal does not fade with K. See `wake_p` for the model.

    Args:
        num_particles: K, at least 1; with 1 the gradient has mean zero, so take several.
        plate: as that of `wake`, for weights of each datum.

    Returns:
        An Expectation, called as `wake_q(16)(key, model, guide)`. Particles share the indices of subsampled plates.

    Requirements: those of `wake_p`. It evaluates log q at given values, for which a transformed distribution needs an
    inverse.

    Raises:
        ParameterError: K is not a positive int; the plate is not a name.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes; as for `wake`.
        SupportError: a guide site reaches beyond the support of the model's.
        ShapeError: as for `wake`.

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
    check_num_particles(num_particles, "wake_q")
    return weighted_draws(wake_q, num_particles, plate, lambda log_p, log_q: log_q)
