"""`ByComponent`: the component of a mixture summed out or scored, the value within it reparameterised."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax

from vipl.distributions.components import draw_components, log_weights, without_plates
from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.finite.table import MOST_ROWS, table_of

WAYS = ("enumerate", "score")


class ByComponent(Estimator):
    """Sum out or score which component of a mixture a draw comes from, and differentiate through the draw.

    `"enumerate"` draws every component once, x_k(ε, θ), with weight π_k: Σ_k π_k f(x_k) has no variance from the
    choice. `"score"` draws one component k, with weight exp(log π_k − stop_gradient(log π_k)). Prefer the first where
    the components are few and the objective treats the elements separately; the second costs one evaluation. Right at
    every order.

    Args:
        component: `"enumerate"` or `"score"`.
        max_size: how many combinations of components of mixed elements are summed before it refuses.

    Requirements: `MixtureSameFamily` or `MixtureGeneral` of distributions with differentiable samplers, or a hurdle
    before a continuous one; an objective that is continuous in the value.

    Raises:
        EstimatorError: another distribution; too many combinations.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"x": estimators.ByComponent()})
        ... def square(loc):
        ...     parts = dist.Normal(jax.numpy.stack([-loc, loc]), 1.0)
        ...     return vipl.sample("x", dist.MixtureSameFamily(dist.Categorical(logits=jax.numpy.zeros(2)), parts)) ** 2
        >>> jax.grad(square, argnums=1)(jax.random.key(0), 3.0).shape
        ()

    Source: Roeder, Wu and Duvenaud 2017, arXiv 1703.09194, §4.1, for the sum; Schulman et al. 2015, arXiv 1506.05254,
    eq. 9, for score and path together.
    """

    pathwise = True

    def __init__(self, component: str = "enumerate", max_size: int = MOST_ROWS):
        if component not in WAYS:
            raise ValueError(f"component is {component!r}; it is one of {WAYS}.")
        self.component, self.max_size = component, max_size

    @property
    def single(self) -> bool:
        """Whether one component is drawn."""
        return self.component == "score"

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return a draw of every component, or of one."""
        key_draw, key_which = jax.random.split(key)
        d, batch = without_plates(distribution), len(distribution.batch_shape)
        event = distribution.event_shape[: distribution.event_dim - d.event_dim]
        shape, within = (*distribution.batch_shape, *event), tuple(range(batch, batch + len(event)))
        values, logits = draw_components(d, key_draw, shape), log_weights(d)
        mixing = dist.CategoricalLogits(jnp.broadcast_to(logits, (*shape, logits.shape[-1])))
        above = tuple(axis + 1 for axis in within)
        if self.single:
            which = jax.random.categorical(key_which, mixing.logits)
            density = log_prob(mixing, which, guard=False)
            log_weight = jnp.sum(density - lax.stop_gradient(density), axis=within)
            return WeightedSamples(_chosen(values, which[None], d.event_dim), None, log_weight[None])
        mixed = (*joint_axes, *within)
        table = table_of(mixing, mixed)
        if mixed:
            values = _chosen(values, table.values, d.event_dim)
        return WeightedSamples(values, jnp.exp(jnp.squeeze(table.log_probs, above)))

    def allows(self, statement, joint_sizes) -> bool:
        """Return whether the combinations of components are at most `max_size`."""
        return self.single or combinations(statement, joint_sizes) <= self.max_size

    def refusal(self, statement) -> str | None:
        """Return why a site has no components, or None."""
        if statement.components is None:
            return "it is no mixture of distributions with differentiable samplers"
        if not self.single and combinations(statement, ()) > self.max_size:
            return f"one event has more than {self.max_size} combinations of components"
        return None


def combinations(statement, joint_sizes) -> float:
    """Return how many combinations of components the elements of one event have, and those mixed with it."""
    count = math.prod(joint_sizes) * statement.elements * math.log(statement.components)
    return math.exp(min(count, 700.0)) * (1 - 1e-9)


def _chosen(values, which, event_dim: int):
    """Return the draws of the components in `which`, `(rows, *shape)`."""
    which = jnp.broadcast_to(which, (len(which), *values.shape[1 : values.ndim - event_dim]))
    return jnp.take_along_axis(values, which.reshape(*which.shape, *[1] * event_dim), axis=0)
