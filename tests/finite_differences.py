"""Finite differences of the expectation of a cost of a distribution of NumPyro's, by NumPyro's sampler and density.

For a parameter, the distribution is moved both ways along a direction in which it stays valid. Where the support does
not move, draws are weighted by the ratio of the moved densities to the one drawn from; else the draws themselves move,
made with one key.
"""

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions.distribution import validation_enabled

from vipl.distributions.moving import support_moves

STEP = 1e-4


def cost(event):
    """A smooth cost, whose derivative times the value is bounded, for heavy tails."""
    x = jnp.ravel(event) * 1.0
    weights = 1 + 0.3 * jnp.arange(x.size)
    return jnp.sum(weights * (x / jnp.sqrt(1 + x * x) + 0.5 * jnp.exp(-((x - 0.5) ** 2))))


def direction(parameter):
    """Return a direction along which a parameter stays a simplex, a triangular matrix, a positive number."""
    theta = np.asarray(parameter, float)
    spread = 1 + 0.4 * np.cos(1.7 * np.arange(theta.size) + 0.3).reshape(theta.shape)
    on_simplex = theta.ndim and theta.shape[-1] > 1 and np.allclose(theta.sum(-1), 1) and np.all(theta >= 0)
    if on_simplex:
        return 3 * theta * (spread - np.sum(theta * spread, axis=-1, keepdims=True))
    if theta.ndim >= 2:
        return 0.5 * theta * spread
    return np.where(theta == 0, 0.5 * spread, theta * spread)


def moved(case, steps):
    """Return the distribution of a case with each parameter moved by its number of steps along its direction."""
    parameters = [np.asarray(p, float) for p in case.parameters]
    return case.build(*(p + s * direction(p) for p, s in zip(parameters, steps, strict=True)))


def differences(case, count):
    """Return a function of a key that draws the difference quotients in all parameters, `(count, parameters)`."""
    moving = [_moves(case, i) for i in range(len(case.parameters))]

    def draw(key):
        return jnp.stack([_quotients(case, key, count, i, moves) for i, moves in enumerate(moving)], axis=-1)

    with validation_enabled(False):
        return jax.jit(draw).lower(jax.random.key(0)).compile()


def _quotients(case, key, count, i, moves):
    at = lambda sign: moved(case, sign * STEP * np.eye(len(case.parameters))[i])  # noqa: E731
    if moves:
        costs = [jax.vmap(cost)(at(sign).sample(key, (count,))) for sign in (1, -1)]
        return (costs[0] - costs[1]) / (2 * STEP)
    draws = at(0).sample(key, (count,))
    costs = jax.vmap(cost)(draws)
    density = lambda sign: jnp.sum(at(sign).log_prob(draws).reshape(count, -1), axis=-1)  # noqa: E731
    ratios = jnp.exp(density(1) - density(0)) - jnp.exp(density(-1) - density(0))
    return (costs - jnp.mean(costs)) * ratios / (2 * STEP)


def _moves(case, i) -> bool:
    """Return whether the support moves with one parameter."""
    found = []
    parameters = [np.asarray(p, float) for p in case.parameters]
    build = lambda p: case.build(*parameters[:i], p, *parameters[i + 1 :])  # noqa: E731
    jax.eval_shape(lambda p: found.append(support_moves(build(p))), parameters[i])
    return found[0]
