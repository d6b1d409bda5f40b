"""`Systematic`: the score function at evenly spread draws."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from vipl.distributions.base_noise import transport_value
from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.score.score_function import MOVING


class Systematic(Estimator):
    """Draw K values from one uniform, moved on by 1/K each: no category comes more often than its share, rounded up.

    Weights exp(ℓ_k − stop_gradient(ℓ_k)) / K. Prefer it to `LeaveOneOut` where K is near the number of categories that
    matter: the values and their scores are stratified, and with growing K the sum becomes exact faster than by
    independent draws. Cost: K evaluations. Right at every order.

    Args:
        num_samples: K, at least 2.

    Requirements: Bernoulli or Categorical, or another distribution drawn from one uniform for each element.

    Example:
        >>> from vipl import estimators
        >>> estimators.Systematic(4)
        Systematic(num_samples=4)

    Source: Carpenter, Clifford and Fearnhead 1999, §3.2, for the draws; the shift of each element is independent, so
    that vectors of mixed elements have the right law too.
    """

    pooled = True

    def __init__(self, num_samples: int = 4):
        if not isinstance(num_samples, int) or num_samples < 2:
            raise ValueError(f"num_samples is {num_samples!r}; draws that are spread are at least 2.")
        self.num_samples = num_samples

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return K draws and their weights."""
        count = self.num_samples
        moved = key + jnp.arange(count, dtype=key.dtype).reshape(count, *[1] * jnp.ndim(key)) / count
        uniforms = moved - jnp.floor(moved)
        values = lax.stop_gradient(jax.vmap(lambda u: transport_value(distribution, u))(uniforms))
        densities = jax.vmap(lambda value: log_prob(distribution, value, guard=False))(values)
        if joint_axes:
            densities = jnp.sum(densities, axis=tuple(axis + 1 for axis in joint_axes), keepdims=True)
        return WeightedSamples(values, jnp.exp(densities - lax.stop_gradient(densities)) / count)

    def refusal(self, statement) -> str | None:
        """Return why a site cannot be drawn so, or None."""
        if statement.noise.kind != "uniform":
            return "its draws are not made from one uniform for each element"
        return MOVING if statement.support_moves else None
