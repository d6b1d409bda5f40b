"""`LeaveOneOut`: the score function with the other draws as its baseline."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from vipl.distributions.base_noise import draw
from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.score.score_function import MOVING


class LeaveOneOut(Estimator):
    """Draw K values; each one's score is weighted by its cost less the mean cost of the others.

    Weights 1/K + (m_k − mean m)/(K − 1), with m_k = exp(ℓ_k − stop_gradient(ℓ_k)) − 1, which keeps the mean right at
    every order of differentiation (ℓ_k − stop_gradient(ℓ_k) in its place would do so at the first only). Prefer it to
    `ScoreFunction` when the objective is cheap to evaluate K times: the costs need no tuned baseline.

    Args:
        num_samples: K, at least 2.

    Requirements: a support that does not move with the parameters.

    Example:
        >>> from vipl import estimators
        >>> estimators.LeaveOneOut(4)
        LeaveOneOut(num_samples=4)

    Source: Kool et al. 2019; Salimans and Knowles 2014; Mnih and Rezende 2016 (VIMCO), arXiv 1602.06725, §2.
    """

    def __init__(self, num_samples: int = 2):
        if not isinstance(num_samples, int) or num_samples < 2:
            raise ValueError(f"num_samples is {num_samples!r}; leaving one out needs at least 2.")
        self.num_samples = num_samples

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return K draws and their weights."""
        count = self.num_samples
        values, _ = jax.vmap(lambda key: draw(distribution, key))(jax.random.split(key, count))
        values = lax.stop_gradient(values)
        densities = jax.vmap(lambda value: log_prob(distribution, value, guard=False))(values)
        if joint_axes:
            densities = jnp.sum(densities, axis=tuple(axis + 1 for axis in joint_axes), keepdims=True)
        excess = jnp.expm1(densities - lax.stop_gradient(densities))
        return WeightedSamples(values, 1 / count + (excess - jnp.mean(excess, axis=0)) / (count - 1))

    def refusal(self, statement) -> str | None:
        """Return why a site has no score, or None."""
        return MOVING if statement.support_moves else None
