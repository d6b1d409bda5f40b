"""How far the mean gradient at the end of training stands out from the noise of its estimate."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

_DRAWS = 256
_AT_ONCE = 16


def gradient_signal(problem, params, objective, key) -> float | None:
    """Return the length of the mean of 256 gradients over its standard error, both in the unconstrained parameters.

    Where the true gradient is zero this is about 1. None where the objective is not known, or an iterator made the
    batches of data.

    Args:
        problem: the Problem.
        params: where the gradient is taken, unconstrained.
        objective: the Expectation that was maximised.
        key: a key.
    """
    if objective is None or (problem.data is not None and problem.data.arrays is None):
        return None
    total, squares = _gradients(problem, params, jax.random.split(key, _DRAWS), objective=objective)
    mean_square = float(total) / _DRAWS**2
    variance = max(float(squares) / _DRAWS - mean_square, 0.0) / (_DRAWS - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sqrt(np.float64(mean_square) / variance)) if mean_square > 0 else 0.0


@functools.partial(jax.jit, static_argnames="objective")
def _gradients(problem, params, keys, *, objective):
    """Return the squared length of the sum of gradients, and the sum of their squared lengths."""
    key_batches = jax.random.fold_in(keys[0], 1)

    def one(key, step):
        batch = None if problem.data is None else problem.data.batch(key_batches, step)
        return jax.grad(lambda params: objective(key, *problem.programs(params, batch)))(params)

    def some(carry, keys_and_steps):
        gradients = jax.vmap(one)(*keys_and_steps)
        total, squares = carry
        total = jax.tree.map(lambda t, g: t + jnp.sum(g, 0), total, gradients)
        return (total, squares + sum(jnp.sum(g**2) for g in jax.tree.leaves(gradients))), None

    start = (jax.tree.map(jnp.zeros_like, params), jnp.zeros(()))
    steps = jnp.arange(len(keys)).reshape(-1, _AT_ONCE)
    (total, squares), _ = jax.lax.scan(some, start, (keys.reshape(-1, _AT_ONCE), steps))
    return sum((jnp.sum(t**2) for t in jax.tree.leaves(total)), jnp.zeros(())), squares
