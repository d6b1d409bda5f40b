"""`ScoreFunction`: the likelihood-ratio estimator."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from numpyro.distributions import Distribution

from vipl.distributions.base_noise import transport_value
from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples


class ScoreFunction(Estimator):
    """Weight the draw by exp(ℓ − stop_gradient(ℓ)), where ℓ = log p(x): REINFORCE, right at every order.

    Estimates ∇ E f(x) by f(x) ∇ log p(x) + ∇ f(x). It serves every distribution whose support does not move with its
    parameters, discrete or not, and any objective, smooth or not; prefer `Reparam` or `Enumerate` where these serve.
    Variance: grows with the size of the costs credited to the choice, not with the number of other choices.

    Args:
        baseline: subtracted from the costs, which does not change the mean: a number, an array that broadcasts to the
            site's batch shape, or a function of the site's distribution, and so of what comes before it, that
            returns one. None for none.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def heads(logit):
        ...     x = vipl.sample("x", dist.Bernoulli(logits=logit), estimator=estimators.ScoreFunction())
        ...     return jax.numpy.where(x == 1, 3.0, 1.0)
        >>> jax.grad(heads, argnums=1)(jax.random.key(0), 0.0).shape
        ()

    Source: Williams 1992; Foerster et al. 2018 (DiCE), arXiv 1802.05098, eq. 4.
    """

    def __init__(self, baseline: ArrayLike | Callable[[Distribution], ArrayLike] | None = None):
        self.baseline = baseline

    pooled = True
    single = True

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return one draw, without derivative, with its log weight."""
        del joint_axes
        value = lax.stop_gradient(transport_value(distribution, key))
        density = log_prob(distribution, value, guard=False)
        log_weight = (density - lax.stop_gradient(density))[None]
        if self.baseline is None:
            return WeightedSamples(value[None], None, log_weight)
        baseline = self.baseline(distribution) if callable(self.baseline) else self.baseline
        return WeightedSamples(value[None], None, log_weight, jnp.broadcast_to(baseline, log_weight.shape))

    def refusal(self, statement) -> str | None:
        """Return why a site has no score, or None."""
        return MOVING if statement.support_moves else None


MOVING = "its support moves with its parameters, so that the derivative of the density misses the moving edge"
