"""Any f-divergence of the posterior from a guide, by the user's own convex function."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from vipl.objectives.convex import check_convex
from vipl.objectives.made_by import made_by
from vipl.objectives.options import check_log_evidence, check_num_particles
from vipl.objectives.particles import draw, log_weight, over_particles, with_shared_subsamples
from vipl.objectives.power_mean import log_power_mean
from vipl.transform.expectation import Expectation


def f_divergence(f: Callable, num_particles: int, log_evidence=None) -> Expectation:
    """f-divergence with its sign turned: −E mean_k f(w_k/c) over K draws of the guide, w = p(z, y)/q(z); maximised.

    The f-divergence of the posterior from the guide is E f(w/p(y)), for a convex function f with f(1) = 0; f says what
    it costs that the guide is t = w/p(y) times too rare at a place. Prefer it where no other objective has the
    trade-off that you want: `lambda t: -jnp.log(t)` is KL(q‖p), which `elbo` has without its noise and bias,
    `lambda t: t * jnp.log(t)` is KL(p‖q), `lambda t: (t - 1) ** 2` is χ², `lambda t: (jnp.sqrt(t) - 1) ** 2` is twice
    the squared Hellinger distance, `lambda t: jnp.abs(t - 1) / 2` the total variation, and sums of these serve too.

    The evidence p(y) is not known. By default c is the mean of the K weights: then no draw gives more than 0, a guide
    that is the posterior gives 0 with no variance, and with K the mean goes to minus the divergence. For finite K it is
    biased, as a divergence, by an amount of order 1/K: of f = −log it is −(`iwelbo(K)` − `elbo`). The estimate is
    unbiased for its own mean at this K. With `log_evidence`, c is a constant, and the mean the same for every K: by
    Jensen's inequality at most −f(p(y)/c), a bound of the evidence as far as f is monotone, and with 0 for
    `log_evidence` the unnormalised one, −E f(w) ≤ −f(p(y)). Cost: K evaluations of the model and the guide.

    Args:
        f: a convex function of a positive scalar t with f(1) = 0, in JAX; it is differentiated.
        num_particles: K; at least 2, or 1 with `log_evidence`.
        log_evidence: the logarithm of c, in nats: None for the mean weight, or a number, or a scalar array, such as
            the value of `iwelbo` from time to time. It is not checked against the evidence.

    Returns:
        An Expectation, called as `f_divergence(f, 32)(key, model, guide)`. Its gradient is that of this mean over K
        draws, by each choice's own estimator, at every order. Particles share the indices of subsampled plates.

    Requirements: those of `iwelbo`. The ratios t are computed as they are, so that one that is too small for the
    arithmetic is 0: f(0) should be finite, where weights vary by more than some 80 nats in float32.

    Raises:
        ParameterError: f(1) is not 0, f does not return a floating-point scalar, or is seen not to be convex; an
            argument is not one of these.
        AddressError: the guide's sites are not the model's latent sites, or the guide observes.
        SupportError: a guide site reaches beyond the support of the model's.
        EstimatorError: an estimator needs too many values.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import objectives
        >>> @vipl.program
        ... def model(y):
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        >>> @vipl.program
        ... def guide(loc):
        ...     vipl.sample("x", dist.Normal(loc, 0.9))
        >>> hellinger = objectives.f_divergence(lambda t: (jnp.sqrt(t) - 1) ** 2, 32)
        >>> hellinger(jax.random.key(0), model(1.0), guide(0.5)).shape
        ()

    Source: Csiszár 1967; Wan, Li and Hovakimyan 2020, arXiv 2009.13093, for the bound; the mean weight in place of the
    evidence is derived here: mean_k f(w_k/c) ≥ f(mean_k w_k/c) = f(1).
    """
    check_num_particles(num_particles, "f_divergence", 2 if log_evidence is None else 1)
    check_log_evidence(log_evidence, "f_divergence")
    check_convex(f, "f_divergence")

    def objective(model, guide):
        model, guide = with_shared_subsamples(model, guide)
        log_weights = over_particles(lambda: log_weight(model, draw(guide)), num_particles)
        level = _log_mean(log_weights) if log_evidence is None else log_evidence
        return -jnp.mean(jax.vmap(f)(jnp.exp(log_weights - level)))

    return made_by(f_divergence, objective)


def _log_mean(log_weights):
    """Return the logarithm of the mean weight; 0 where all weights are zero, and so are the ratios."""
    level = log_power_mean(log_weights, 1.0)
    return jnp.where(jnp.isfinite(lax.stop_gradient(level)), level, 0.0)
