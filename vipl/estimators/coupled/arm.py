"""`ARM`: for a Bernoulli choice, the difference of the costs at an antithetic pair."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.elements import elements_of
from vipl.estimators.measure.first_order import ghost


class ARM(Estimator):
    """Evaluate the costs at an antithetic pair of draws, and weight their difference by the uniform behind them.

    With u uniform, x = 1[u > σ(−φ)] and x' = 1[u < σ(φ)], estimates the derivative in the logit φ by
    (f(x) − f(x')) (u − ½), and E f by the mean of the two. `DisARM` is the same with the uniform averaged out, has less
    variance at the same cost, and is to be preferred; ARM is here to compare with. Cost: two evaluations, however many
    elements are mixed.

    Requirements: Bernoulli, in events of several too. First derivatives only.

    Raises:
        EstimatorError: another distribution; a second derivative.

    Example:
        >>> from vipl import estimators
        >>> estimators.ARM()
        ARM()

    Source: Yin and Zhou 2019, arXiv 1807.11143, eq. 6.
    """

    first_order = True

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the pair, of weights ½ ± d with a d that has a derivative only."""
        elements = elements_of(distribution, joint_axes)
        uniform = jax.random.uniform(key, elements.shape, jnp.result_type(float))
        parameter, chance, slope = logit_of(elements.base)
        first, second = uniform > 1 - chance, uniform < chance
        coefficient = self._coefficient(uniform, first, second, chance) * slope
        part = elements.together(ghost(jnp.broadcast_to(parameter, elements.shape), coefficient, type(self).__name__))
        values = jnp.stack([first, second]).astype(jnp.result_type(int))
        return WeightedSamples(values, jnp.stack([0.5 + part, 0.5 - part]))

    def _coefficient(self, uniform, first, second, chance):
        del first, second, chance
        return uniform - 0.5

    def refusal(self, statement) -> str | None:
        """Return why a site has no such pair, or None."""
        return None if statement.distribution_name in _NAMES else "it serves Bernoulli choices only"


_NAMES = ("BernoulliProbs", "BernoulliLogits")


def logit_of(bernoulli):
    """Return the parameter, the probability of 1, and the derivative of the logit in the parameter."""
    chance = lax.stop_gradient(jnp.asarray(bernoulli.probs))
    if isinstance(bernoulli, dist.BernoulliLogits):
        return jnp.asarray(bernoulli.logits), chance, 1.0
    spread = chance * (1 - chance)
    return jnp.asarray(bernoulli.probs), chance, jnp.where(spread > 0, 1 / jnp.where(spread > 0, spread, 1.0), 0.0)
