"""`StochasticDerivative`: one alternative to the draw, for any number of elements."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.elements import elements_of
from vipl.estimators.measure.first_order import ghost


class StochasticDerivative(Estimator):
    """Evaluate the costs at the draw and at one alternative, in which each element took another value.

    For an element with value x, an alternative y and a weight c it estimates the derivative in a parameter by
    c (f(y) − f(x)). Where the objective treats elements separately all change at once; where it mixes them, one is
    drawn to change, in proportion to the weights, and the others keep their values. Prefer it to `MeasureValued`
    for many mixed elements: the cost stays two evaluations. For a Bernoulli choice it is exact given all else.

    Requirements: Bernoulli, Binomial, Geometric, Poisson or Categorical, in events of several too. First derivatives
    only.

    Raises:
        EstimatorError: another distribution; a second derivative.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"x": estimators.StochasticDerivative()})
        ... def square(rate):
        ...     return vipl.sample("x", dist.Poisson(rate)) ** 2.0
        >>> jax.grad(square, argnums=1)(jax.random.key(0), 3.0).shape
        ()

    Source: Arya et al. 2022, arXiv 2210.08572, §3; the smoothed form, which needs no coupling to the noise.
    """

    first_order = True

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the draw and the alternative, of weights 1 − d and d with a d that has a derivative only."""
        elements = elements_of(distribution, joint_axes)
        key_draw, key_other, key_which = jax.random.split(key, 3)
        x = jnp.broadcast_to(lax.stop_gradient(elements.base.expand(elements.shape).sample(key_draw)), elements.shape)
        parameter, coefficient, other = ALTERNATIVES[type(elements.base)](elements.base, x, key_other)
        coefficient = lax.stop_gradient(jnp.broadcast_to(coefficient, elements.shape))
        if elements.num_mixed != 1:
            chosen, chance = _one_of(elements, jnp.abs(coefficient), key_which)
            coefficient = jnp.where(chosen, _over(coefficient, chance), 0.0)
            other = jnp.where(chosen, other, x)
        part = elements.together(
            ghost(jnp.broadcast_to(parameter, elements.shape), coefficient, "StochasticDerivative")
        )
        return WeightedSamples(jnp.stack([x, other.astype(x.dtype)]), jnp.stack([1 - part, part]))

    def refusal(self, statement) -> str | None:
        """Return why a site has no known alternative, or None."""
        names = {cls.__name__ for cls in ALTERNATIVES}
        return None if statement.distribution_name in names else "no alternative to its draws is known"


def _one_of(elements, weight, key):
    """Draw one element out of those that are mixed, in proportion to weights.

    Returns:
        A mask of the elements drawn, and the chance that each had.
    """
    mixed = elements.mixed
    total = jnp.sum(weight, axis=mixed, keepdims=True)
    weight = jnp.where(total > 0, weight, 1.0)
    last = tuple(range(-len(mixed), 0))
    moved = jnp.moveaxis(weight, mixed, last)
    flat = moved.reshape(*moved.shape[: moved.ndim - len(mixed)], elements.num_mixed)
    which = jax.random.categorical(key, jnp.log(flat), axis=-1)
    chosen = jax.nn.one_hot(which, elements.num_mixed, dtype=bool).reshape(moved.shape)
    chance = weight / jnp.sum(weight, axis=mixed, keepdims=True)
    return jnp.moveaxis(chosen, last, mixed), chance


def _bernoulli(d, x, key):
    del key
    return d.probs, jnp.where(x == 1, -1.0, 1.0), 1 - x


def _categorical(d, x, key):
    """The alternative is drawn among the other categories, by their probabilities."""
    log_probs = lax.stop_gradient(jax.nn.log_softmax(d.logits))
    log_probs = jnp.broadcast_to(log_probs, (*x.shape, log_probs.shape[-1]))
    itself = jax.nn.one_hot(x, log_probs.shape[-1], dtype=bool)
    others = jnp.where(itself, -jnp.inf, log_probs)
    left = jax.nn.logsumexp(others, axis=-1, keepdims=True)
    even = jnp.where(itself, -jnp.inf, -np.log(max(log_probs.shape[-1] - 1, 1)))  # where x has all the probability
    others = jnp.where(jnp.isfinite(left), others - left, even)
    other = jax.random.categorical(key, others)
    pick = lambda table: jnp.take_along_axis(table, other[..., None], axis=-1)[..., 0]  # noqa: E731
    chance = jnp.exp(pick(others))
    return pick(jnp.broadcast_to(d.probs, log_probs.shape)), _over(1.0, chance), other


def _over(numerator, denominator):
    """Return a ratio, 0 where its denominator is."""
    return jnp.where(denominator > 0, numerator / jnp.where(denominator > 0, denominator, 1.0), 0.0)


def _binomial(d, x, key):
    del key
    chance = lax.stop_gradient(d.probs)
    more = jnp.minimum(x + 1, d.total_count)
    return d.probs, _over(d.total_count - x, 1 - chance), more


def _geometric(d, x, key):
    del key
    chance = lax.stop_gradient(d.probs)
    return d.probs, _over(x, chance * (1 - chance)), jnp.maximum(x - 1, 0)


def _poisson(d, x, key):
    del key
    return d.rate, jnp.ones(()), x + 1


ALTERNATIVES = {
    dist.BernoulliProbs: _bernoulli,
    dist.BernoulliLogits: _bernoulli,
    dist.CategoricalProbs: _categorical,
    dist.CategoricalLogits: _categorical,
    dist.BinomialProbs: _binomial,
    dist.BinomialLogits: _binomial,
    dist.GeometricProbs: _geometric,
    dist.GeometricLogits: _geometric,
    dist.Poisson: _poisson,
}
