"""Expectations under any distribution of few dimensions: sums over the support, or quadrature of the density.

Nothing is drawn. Continuous supports are mapped from a grid on the unconstrained space, heavy tails included.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

import vipl.distributions as dist
from vipl.distributions.finite import num_support_points, support_points
from vipl.distributions.log_prob import log_prob

constraints = dist.constraints

MOST_COUNTS = 100_000
GRIDS = {0: (1, 1), 1: (40.0, 4000), 2: (13.0, 520), 3: (7.0, 112)}
"""Half width and number of nodes of the grid, by dimension."""


def expectation_of(d, f):
    """Return `(∫ p, ∫ f p)`; the first is one where the density is one and the grid is fine enough."""
    values, log_weights = nodes_of(d)
    weights = jnp.exp(log_prob(d, values) + log_weights)
    return jnp.sum(weights), jnp.sum(weights * jax.vmap(f)(values))


def nodes_of(d):
    """Return values `(num_nodes, *event)`, and the logs of the areas that they stand for."""
    assert d.batch_shape == (), "one event at a time"
    if isinstance(d, dist.Delta):
        return jnp.asarray(d.v)[None], -jnp.asarray(d.log_density)[None]
    if d.is_discrete:
        values = _discrete(d)
        return values, jnp.zeros(len(values))
    if isinstance(d, dist.HurdleProbs):  # an atom at zero, and a density beside it
        values, log_weights = nodes_of(d.base_dist)
        return jnp.append(0.0, values), jnp.append(0.0, log_weights)
    if d.support is constraints.sphere:
        angle = jnp.arange(400) * (2 * np.pi / 400)
        return jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1), jnp.full(400, np.log(2 * np.pi / 400))
    return _continuous(d)


def _discrete(d):
    if num_support_points(d) is not None:
        return support_points(d)
    if d.event_shape:
        total = int(d.total_count)
        cells = itertools.product(range(total + 1), repeat=d.event_shape[0])
        return jnp.array([cell for cell in cells if sum(cell) == total])
    return jnp.arange(MOST_COUNTS)


def _continuous(d):
    shape = jnp.shape(jax.eval_shape(lambda: _from_reals(d, jnp.zeros(d.event_shape), inverse=True)))
    dimension = int(np.prod(shape))
    width, count = GRIDS[dimension]
    axis = jnp.linspace(-width, width, count)
    grid = jnp.stack(jnp.meshgrid(*[axis] * dimension, indexing="ij"), -1).reshape(-1, *shape)
    values, log_dets = jax.vmap(lambda u: _from_reals(d, u))(grid)
    return values, log_dets + dimension * jnp.log(axis[1] - axis[0])


def _from_reals(d, u, inverse=False):
    """Map unconstrained numbers to an event; reals go through the hyperbolic sine, which brings heavy tails near."""
    support = d.support
    base = support
    while isinstance(base, constraints.independent):
        base = base.base_constraint
    if isinstance(base, type(constraints.real)):
        return u if inverse else (jnp.sinh(u), jnp.sum(jnp.log(jnp.cosh(u))))
    transform = dist.biject_to(support)
    if inverse:
        return jnp.zeros(transform.inverse_shape(jnp.shape(u)))
    value = transform(u)
    return value, jnp.sum(transform.log_abs_det_jacobian(u, value))
