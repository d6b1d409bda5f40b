"""Plain stochastic gradient ascent on a row's bound, and the value of the bound."""

import functools

import jax
import numpy as np
from programs import MODEL

STEPS, RATE = 5000, 1e-3  # as in the paper
AS_IN_THE_PAPER = np.full(STEPS, RATE, np.float32)
FURTHER = np.linspace(RATE, 0.0, 3 * STEPS, dtype=np.float32).reshape(3, STEPS)  # fades, and the steps' noise with it


@functools.partial(jax.jit, static_argnums=0)
def train(row, params, rates, key):
    """Return the parameters after one step of each of the learning rates."""
    bound = row.objective.with_num_samples(row.batch)

    def step(params, inputs):
        rate, key = inputs
        gradient = jax.grad(lambda params: bound(key, MODEL, row.guide(params)))(params)
        return params + rate * gradient, None

    return jax.lax.scan(step, params, (rates, jax.random.split(key, len(rates))))[0]


@functools.partial(jax.jit, static_argnums=0)
def estimates(row, params, keys):
    return jax.vmap(lambda key: row.objective(key, MODEL, row.guide(params)))(keys)


def value(row, params, key, num_samples, chunk=5000):
    """Return the bound, in nats, and its standard error: the mean of `num_samples` estimates, a chunk at a time."""
    keys = jax.random.split(key, (num_samples // chunk, chunk))
    samples = np.concatenate([estimates(row, params, some) for some in keys])
    return samples.mean(), samples.std() / num_samples**0.5
