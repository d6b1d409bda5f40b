"""`MeasureValued`: the derivative of the measure itself, as the difference of two measures."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.elements import elements_of
from vipl.estimators.measure.decompositions import DECOMPOSITIONS, PUSHES
from vipl.estimators.measure.first_order import ghost


class MeasureValued(Estimator):
    """Evaluate the costs at the draw and at a pair x⁺, x⁻ for each parameter, weighted by ±c.

    Estimates ∇ E f(x) by c (f(x⁺) − f(x⁻)) + ∇ f(x). Prefer it for few parameters and rough costs: its variance does
    not depend on how steep the costs are, and for a Bernoulli choice it is exact given all else. Cost: three
    evaluations for one parameter and two more for each further one; where the objective mixes N elements, those of a
    MultivariateNormal too, N times as many. `coordinates="one"` changes one of these, drawn at random, with N times the
    weight: the cost of one element, for more variance.

    Args:
        coordinates: which of the elements that are mixed change: `"all"` in turn, or `"one"` at random.

    Requirements: Bernoulli, Categorical, Normal, LogNormal, MultivariateNormal, HalfNormal, Laplace, Poisson,
    Exponential, Geometric, Binomial; Gamma, GammaPoisson and the negative binomials in their rate (probability, mean),
    Weibull in its scale. First derivatives only.

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

    Source: Pflug 1996; Mohamed et al. 2020, JMLR 21(132), §6; Rosca et al. 2019 for the multivariate normal.
    """

    first_order = True

    def __init__(self, coordinates: str = "all"):
        if coordinates not in ("all", "one"):
            raise ValueError(f'coordinates is {coordinates!r}; it is "all" or "one".')
        self.coordinates = coordinates

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the draw and the pairs, with weights 1 and ±c(θ − stop_gradient(θ))."""
        elements = elements_of(distribution, joint_axes)
        key_pairs, key_which = jax.random.split(key)
        x, pairs = DECOMPOSITIONS[type(elements.base)](elements.base, key_pairs, elements.shape)
        x = lax.stop_gradient(jnp.broadcast_to(x, elements.shape))
        masks, factor = elements.one_at_a_time(), 1
        if self.coordinates == "one" and elements.num_mixed > 1:
            masks, factor = [elements.one_at_random(key_which)], elements.num_mixed
        masks, values, weights = list(masks), [x], [jnp.ones(elements.kept)]
        for pair in pairs:
            coefficient = factor * lax.stop_gradient(pair.coefficient)
            weight = ghost(jnp.asarray(pair.parameter), coefficient, "MeasureValued")
            for chosen in masks:
                part = elements.together(jnp.where(chosen, weight, 0.0))
                for sign, changed in ((1.0, pair.plus), (-1.0, pair.minus)):
                    if changed is None:
                        continue
                    values.append(jnp.where(chosen, lax.stop_gradient(changed), x).astype(x.dtype))
                    weights.append(sign * part)
        push = PUSHES.get(type(elements.base), lambda _, value: value)
        return WeightedSamples(lax.stop_gradient(push(elements.base, jnp.stack(values))), jnp.stack(weights))

    def refusal(self, statement) -> str | None:
        """Return why a site has no known decomposition, or None."""
        names = {cls.__name__ for cls in DECOMPOSITIONS}
        if statement.distribution_name not in names:
            return "no decomposition of its distribution's derivative is known"
        return None
