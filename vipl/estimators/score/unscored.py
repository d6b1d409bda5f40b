"""`Unscored`: draws without the derivative of their probability, which is biased."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from vipl.distributions.base_noise import transport_value
from vipl.estimators.base import Estimator, WeightedSamples


class Unscored(Estimator):
    """Draw, and leave the derivative of the draw's probability out: **biased**.

    Its part of the gradient is dropped, and with it the noise of a score. That is what is commonly done with the
    ancestors of sequential Monte Carlo, where the bias is often small. Prefer `ScoreFunction`, which has none:
    `biased=True` says that you know, `explain` marks it, and a strict expectation refuses it.

    Args:
        biased: must be True.

    Raises:
        ValueError: without `biased=True`.
        BiasError: with `strict=True`.

    Example:
        >>> from vipl import estimators
        >>> estimators.Unscored(biased=True)
        Unscored()

    Source: Naesseth et al. 2018, arXiv 1705.11140, §3.2; Maddison et al. 2017 (FIVO), arXiv 1705.09279, §4.
    """

    pooled = True
    single = True
    biased = True

    def __init__(self, *, biased: bool = False):
        if biased is not True:
            raise ValueError(
                "Unscored gives biased gradients. Unscored(biased=True) accepts that; ScoreFunction's are not."
            )

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return one draw of weight 1."""
        value = lax.stop_gradient(transport_value(distribution, key))
        kept = [1 if axis in joint_axes else size for axis, size in enumerate(distribution.batch_shape)]
        return WeightedSamples(value[None], jnp.ones((1, *kept)))
