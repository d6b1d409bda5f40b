"""`MeasureValued`: the derivative of the measure itself, as the difference of two measures."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.elements import elements_of
from vipl.estimators.measure.decompositions import DECOMPOSITIONS
from vipl.estimators.measure.first_order import ghost


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

    first_order = True

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the draw and the pairs, with weights 1 and ±c(θ − stop_gradient(θ))."""
        elements = elements_of(distribution, joint_axes)
        x, pairs = DECOMPOSITIONS[type(elements.base)](elements.base, key, elements.shape)
        x = lax.stop_gradient(jnp.broadcast_to(x, elements.shape))
        values, weights = [x], [jnp.ones(elements.kept)]
        for pair in pairs:
            weight = ghost(jnp.asarray(pair.parameter), lax.stop_gradient(pair.coefficient), "MeasureValued")
            for chosen in elements.one_at_a_time():
                part = elements.together(jnp.where(chosen, weight, 0.0))
                for sign, changed in ((1.0, pair.plus), (-1.0, pair.minus)):
                    if changed is None:
                        continue
                    values.append(jnp.where(chosen, lax.stop_gradient(changed), x).astype(x.dtype))
                    weights.append(sign * part)
        return WeightedSamples(jnp.stack(values), jnp.stack(weights))

    def refusal(self, statement) -> str | None:
        """Return why a site has no known decomposition, or None."""
        names = {cls.__name__ for cls in DECOMPOSITIONS}
        if statement.distribution_name not in names:
            return "no decomposition of its distribution's derivative is known"
        return None
