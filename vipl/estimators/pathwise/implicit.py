"""`Implicit`: the path of a draw, from its distribution function."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from vipl.distributions.base_noise import draw_noise, noise_of, transport_value
from vipl.distributions.components import without_plates
from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples


class Implicit(Estimator):
    """Differentiate through the draw where the sampler is not differentiable: dx = −∂F(x; θ)/∂θ dθ / p(x; θ).

    The value keeps its place in the distribution function F, so that it moves as the parameters do. Prefer it for
    mixtures whose elements the objective mixes: one evaluation, and no score, whose variance grows with the costs.
    Right at every order.

    Requirements: a scalar distribution whose distribution function is known exactly with its derivatives: a mixture of
    normals, gammas, log-normals, logistics, …, or one of these; an objective that is continuous in the value.

    Raises:
        EstimatorError: another distribution.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"x": estimators.Implicit()})
        ... def square(loc):
        ...     parts = dist.Normal(jax.numpy.stack([-loc, loc]), 1.0)
        ...     return vipl.sample("x", dist.MixtureSameFamily(dist.Categorical(logits=jax.numpy.zeros(2)), parts)) ** 2
        >>> jax.grad(square, argnums=1)(jax.random.key(0), 3.0).shape
        ()

    Source: Figurnov, Mohamed and Mnih 2018, arXiv 1805.08498, eq. 5; Graves 2016, arXiv 1607.05690, for mixtures.
    """

    single = True
    pathwise = True

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return one value of weight 1."""
        del joint_axes
        value = lax.stop_gradient(transport_value(distribution, draw_noise(noise_of(distribution), key)))
        value = _kept_in_place(without_plates(distribution), value)
        return WeightedSamples(value[None], jnp.ones((1, *distribution.batch_shape)))

    def refusal(self, statement) -> str | None:
        """Return why a site has no known distribution function, or None."""
        return None if statement.has_cdf else "its distribution function is not known exactly with its derivatives"


@jax.custom_jvp
def _kept_in_place(distribution, value):
    """Return the value, as a function of the distribution's parameters that keeps F(value) what it is."""
    del distribution
    return value


@_kept_in_place.defjvp
def _kept_in_place_jvp(primals, tangents):
    (distribution, value), (moved, direct) = primals, tangents
    value = _kept_in_place(distribution, value)  # again, for the second derivative
    _, rise = jax.jvp(lambda d: d.cdf(value), (distribution,), (moved,))
    return value, direct - rise / jnp.exp(log_prob(distribution, value, guard=False))
