"""`MeasureValued`: the derivative of the measure itself, as the difference of two measures."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
from jax import lax
from numpyro.distributions import ExpandedDistribution

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.decompositions import DECOMPOSITIONS
from vipl.estimators.first_order import ghost


class MeasureValued(Estimator):
    """Evaluate the costs at the draw and at a pair x⁺, x⁻ for each parameter, weighted by ±c.

    Estimates ∇ E f(x) by c (f(x⁺) − f(x⁻)) + ∇ f(x). Prefer it for few parameters and rough costs: its variance does
    not depend on how steep the costs are, and for a Bernoulli choice it is exact given all else. Cost: three
    evaluations for one parameter and two more for each further one; where the objective mixes N elements, 1 + 2N.

    Requirements: Bernoulli, Categorical, Normal, Poisson, Exponential, Gamma (in its rate), Geometric or Binomial.
    First derivatives only.

    Raises:
        EstimatorError: another distribution; a second derivative; a derivative in the concentration of a Gamma.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def square(rate):
        ...     return vipl.sample("x", dist.Poisson(rate), estimator=estimators.MeasureValued()) ** 2.0
        >>> jax.grad(square, argnums=1)(jax.random.key(0), 3.0).shape
        ()

    Source: Pflug 1996; Mohamed et al. 2020, JMLR 21(132), §6.
    """

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the draw and the pairs, with weights 1 and ±c(θ − stop_gradient(θ))."""
        shape = distribution.batch_shape
        base = _unwrapped(distribution)
        x, pairs = DECOMPOSITIONS[type(base)](base, key, shape)
        x = lax.stop_gradient(jnp.broadcast_to(x, shape))
        kept = [1 if axis in joint_axes else size for axis, size in enumerate(shape)]
        values, weights = [x], [jnp.ones(kept)]
        for pair in pairs:
            weight = jnp.broadcast_to(ghost(jnp.asarray(pair.parameter), lax.stop_gradient(pair.coefficient)), shape)
            for chosen in _one_at_a_time(shape, joint_axes):
                part = jnp.sum(jnp.where(chosen, weight, 0.0), axis=tuple(joint_axes), keepdims=True)
                for sign, changed in ((1.0, pair.plus), (-1.0, pair.minus)):
                    if changed is None:
                        continue
                    values.append(jnp.where(chosen, lax.stop_gradient(changed), x).astype(x.dtype))
                    weights.append(sign * part)
        return WeightedSamples(jnp.stack(values), jnp.stack(weights))

    def refusal(self, statement) -> str | None:
        """Return why a site has no known decomposition, or None."""
        names = {cls.__name__ for cls in DECOMPOSITIONS}
        if statement.distribution_name not in names or statement.event_dim:
            return "no decomposition of its distribution's derivative is known"
        return None


def _unwrapped(distribution):
    while isinstance(distribution, ExpandedDistribution):
        distribution = distribution.base_dist
    return distribution


def _one_at_a_time(shape, joint_axes):
    """Yield masks that choose the elements to perturb together: all of them, but one at a time along joint axes."""
    for index in itertools.product(*(range(shape[axis]) for axis in joint_axes)):
        chosen = jnp.ones(shape, bool)
        for axis, i in zip(joint_axes, index, strict=True):
            position = jnp.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
            chosen = chosen & (position == i)
        yield chosen
