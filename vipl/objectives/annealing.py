"""Paths of a particle from a guide to a posterior: leapfrog steps with momenta that are refreshed in part."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def anneal(log_q, log_p, start, noises, schedule, step_sizes, persistence):
    """Return the end of a path, and the log weight that its momenta gather.

    Step m moves with the gradient of (1 − β_m) log q + β_m log p. It keeps volumes, and is undone by the same step
    with the momentum turned, so that log p(end) − log q(start) plus what is gathered is the log of a weight whose mean
    is the integral of p, whatever step sizes, schedule and persistence are.

    Args:
        log_q: log density of the start, a function of coordinates.
        log_p: likewise, of the end.
        start: `{address: coordinates}`.
        noises: standard normal draws, likewise, with an axis of M steps in front.
        schedule: β_1 … β_M, `(num_steps,)`.
        step_sizes: `{address: array}`, each broadcast to the coordinates.
        persistence: what a momentum keeps of the last, γ.
    """
    fresh = jnp.sqrt(1 - jnp.square(persistence))

    def step(carry, given):
        place, momentum, slopes, gathered = carry
        noise, beta, first = given
        kept = jnp.where(first, 0.0, persistence)
        momentum = _each(lambda r, e: kept * r + jnp.where(first, 1.0, fresh) * e, momentum, noise)
        before = _log_normal(momentum)
        momentum = kick(momentum, slopes, beta)
        place = _each(lambda z, r, h: z + h * r, place, momentum, step_sizes)
        slopes = jax.grad(log_q)(place), jax.grad(log_p)(place)
        momentum = kick(momentum, slopes, beta)
        return (place, momentum, slopes, gathered + _log_normal(momentum) - before), None

    def kick(momentum, slopes, beta):
        return _each(lambda r, q, p, h: r + 0.5 * h * ((1 - beta) * q + beta * p), momentum, *slopes, step_sizes)

    slopes = jax.grad(log_q)(start), jax.grad(log_p)(start)
    still = _each(lambda z: jnp.zeros_like(z), start)
    first = jnp.arange(len(schedule)) == 0
    carry, _ = lax.scan(step, (start, still, slopes, jnp.zeros_like(schedule[0])), (noises, schedule, first))
    return carry[0], carry[3]


def _each(function, *trees):
    return {address: function(*(tree[address] for tree in trees)) for address in trees[0]}


def _log_normal(momentum):
    """Return the log density of a standard normal momentum, without its constant."""
    return -0.5 * sum(jnp.sum(jnp.square(r)) for r in momentum.values())
