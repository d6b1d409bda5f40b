"""`GumbelSoftmax` and `StraightThrough`: gradients through a relaxed draw, which are biased."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.relaxed.relaxation import Relaxation, relaxation_of, unserved


class GumbelSoftmax(Estimator):
    """Draw from the relaxation in place of the distribution, and differentiate through it: **biased**.

    Value and gradient are those of another objective, which approaches the asked-for one as the temperature falls,
    while the variance grows. Prefer any unbiased estimator; this one is for comparison, and for where a bias of unknown
    size is accepted: `biased=True` says so, `explain` marks it, and a strict expectation refuses it.

    Args:
        temperature: τ, positive.
        biased: must be True.

    Requirements: Bernoulli or OneHotCategorical; costs defined and continuous between its points.

    Raises:
        ValueError: without `biased=True`.
        EstimatorError: another distribution.
        BiasError: with `strict=True`.

    Example:
        >>> from vipl import estimators
        >>> estimators.GumbelSoftmax(0.3, biased=True)
        GumbelSoftmax(temperature=0.3)

    Source: Jang, Gu and Poole 2017, arXiv 1611.01144, eq. 2; Maddison, Mnih and Teh 2017, arXiv 1611.00712.
    """

    pathwise = True
    relaxed = True
    biased = True

    def __init__(self, temperature: ArrayLike = 0.5, *, biased: bool = False):
        if biased is not True:
            name = type(self).__name__
            raise ValueError(
                f"{name} gives biased gradients. {name}(…, biased=True) accepts that; REBAR and DisARM are unbiased."
            )
        self.temperature = temperature

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return one value of weight 1."""
        value = self._value(relaxation_of(distribution, key, self.temperature))
        kept = [1 if axis in joint_axes else size for axis, size in enumerate(distribution.batch_shape)]
        return WeightedSamples(value[None], jnp.ones((1, *kept)))

    def _value(self, drawn: Relaxation):
        return drawn.soft

    def refusal(self, statement) -> str | None:
        """Return why a site has no relaxation, or None."""
        return unserved(statement)


class StraightThrough(GumbelSoftmax):
    """Draw from the distribution, and differentiate as if the draw were its relaxation: **biased** in the gradient.

    The value is right. Prefer it to `GumbelSoftmax` where the costs make sense at the points of the support only.

    Args:
        temperature: τ of the relaxation, positive.
        biased: must be True.

    Requirements: Bernoulli or OneHotCategorical; costs with a derivative in the value.

    Raises:
        ValueError: without `biased=True`.
        EstimatorError: another distribution.
        BiasError: with `strict=True`.

    Example:
        >>> from vipl import estimators
        >>> estimators.StraightThrough(biased=True)
        StraightThrough(temperature=0.5)

    Source: Bengio, Léonard and Courville 2013, arXiv 1308.3432; with Gumbel noise, Jang, Gu and Poole 2017, §2.2.
    """

    def _value(self, drawn: Relaxation):
        return drawn.hard + drawn.soft - lax.stop_gradient(drawn.soft)
