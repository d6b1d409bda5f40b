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
        baseline: subtracted from the costs, which does not change the mean: a number; an array that broadcasts to the
            site's batch shape, computed from whatever comes before the site; a function of the site's distribution that
            returns one; `"leave_one_out"`: with `num_samples` of at least 2, the mean of the costs in the others; None
            for none. `RunningAverage` keeps one, `Expectation.value_and_credits` returns what one learns from.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def heads(logit):
        ...     x = vipl.sample("x", dist.Bernoulli(logits=logit), estimator=estimators.ScoreFunction())
        ...     return jax.numpy.where(x == 1, 3.0, 1.0)
        >>> jax.grad(heads, argnums=1)(jax.random.key(0), 0.0).shape
        ()

    Source: Williams 1992; Foerster et al. 2018 (DiCE), arXiv 1802.05098, eq. 4. For an ELBO, `"leave_one_out"` is the
    gradient of the log-variance loss: Richter et al. 2020 (VarGrad), arXiv 2010.10436, prop. 1.
    """

    def __init__(self, baseline: ArrayLike | Callable[[Distribution], ArrayLike] | str | None = None):
        if isinstance(baseline, str) and baseline != LEAVE_ONE_OUT:
            raise ValueError(f"baseline is {baseline!r}; of strings only {LEAVE_ONE_OUT!r} is one.")
        self.baseline = baseline

    pooled = True
    single = True

    @property
    def leaves_one_out(self) -> bool:
        """Whether the baseline is made of the other samples."""
        return isinstance(self.baseline, str)

    def at(self, distribution) -> ScoreFunction:
        """Return the estimator with the value of its baseline, if that is a function."""
        return ScoreFunction(jnp.asarray(self.baseline(distribution))) if callable(self.baseline) else self

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return one draw, without derivative, with its log weight."""
        del joint_axes
        value = lax.stop_gradient(transport_value(distribution, key))
        density = log_prob(distribution, value, guard=False)
        log_weight = density - lax.stop_gradient(density)
        control = None
        if self.baseline is not None and not self.leaves_one_out:
            baseline = jnp.asarray(self.at(distribution).baseline)
            control = -lax.stop_gradient(baseline) * jnp.expm1(log_weight)
        return WeightedSamples(value[None], None, log_weight[None], control)

    def refusal(self, statement) -> str | None:
        """Return why a site has no score, or None."""
        return MOVING if statement.support_moves else None


LEAVE_ONE_OUT = "leave_one_out"
MOVING = "its support moves with its parameters, so that the derivative of the density misses the moving edge"
