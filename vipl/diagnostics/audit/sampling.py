"""Draws of values and gradients of an expectation, one after the other in one compiled loop.

One after the other, as an optimiser takes them: so the seconds that a loop takes are those of a training step.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vipl.diagnostics.audit.variant import Variant
from vipl.transform.plan import Plan


@functools.partial(jax.jit, static_argnums=(0, 1))
def gradients(variant: Variant, size: int, leaves, others, centre, key):
    """Draw values and gradients.

    Args:
        variant: what is estimated.
        size: number of draws.
        leaves: the differentiated leaves.
        others: the other arrays.
        centre: subtracted from the gradients, leaf by leaf; near their mean, which keeps rounding small.
        key: a key.

    Returns:
        Of the gradients less the centre: the mean, leaf by leaf; squared lengths, `(size, num_leaves)`; and sums of all
        elements with random signs, `(size, 2)`. And the values, `(size,)`.
    """
    signs = [random_signs(leaf, place) for place, leaf in enumerate(centre)]

    def one(total, index):
        value, grads = jax.value_and_grad(variant.estimate)(leaves, others, jax.random.fold_in(key, index))
        excess = [g - c for g, c in zip(grads, centre, strict=True)]
        return [t + e for t, e in zip(total, excess, strict=True)], (
            value,
            squared_lengths(excess),
            _dot(signs, excess),
        )

    total, (values, squares, sums) = lax.scan(one, [jnp.zeros_like(c) for c in centre], jnp.arange(size))
    return [t / size for t in total], values, squares, sums


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def renewed(variant: Variant, addresses: tuple[str, ...], size: int, leaves, others, key):
    """Draw gradients, and how far each moves when the noise of one address is drawn anew.

    Args:
        variant: what is estimated.
        addresses: of choices and subsampled plates.
        size: number of draws.
        leaves: the differentiated leaves.
        others: the other arrays.
        key: a key.

    Returns:
        Half the squared lengths of the moves, `(size, num_addresses)`.
    """
    gradient = jax.grad(variant.estimate)

    def one(draw):
        key_draw = jax.random.fold_in(key, draw)
        plain = gradient(leaves, others, key_draw, functools.partial(_mixed, addresses, -1))

        def move(index):
            other = gradient(leaves, others, key_draw, functools.partial(_mixed, addresses, index))
            return 0.5 * jnp.sum(squared_lengths([a - b for a, b in zip(plain, other, strict=True)]))

        return lax.map(move, jnp.arange(len(addresses)))

    return lax.map(one, jnp.arange(size))


def _mixed(addresses, index, plan: Plan, key) -> dict:
    """Draw noise, with that of one address drawn anew."""
    first, second = (plan.draw_noise(k) for k in jax.random.split(key))
    noise = {}
    for located in plan.random:
        place, path = located.statement.address, located.path
        anew = index == addresses.index(place) if place in addresses else False
        noise[path] = jax.tree.map(lambda a, b, anew=anew: jnp.where(anew, b, a), first[path], second[path])
    return noise


def random_signs(leaf, place: int) -> jax.Array:
    """Return random signs for a leaf, `(2, *shape)`: the same for all variants, so that their draws can be compared."""
    rng = np.random.default_rng(place)
    return jnp.asarray(2 * rng.integers(0, 2, (2, *leaf.shape), dtype=np.int8) - 1)


def _dot(signs, leaves) -> jax.Array:
    parts = [jnp.sum(s * leaf, axis=tuple(range(1, s.ndim))) for s, leaf in zip(signs, leaves, strict=True)]
    return sum(parts[1:], parts[0])


def squared_lengths(leaves) -> jax.Array:
    """Return the squared length of every leaf, `(num_leaves,)`."""
    return jnp.stack([jnp.sum(leaf.astype(float) ** 2) for leaf in leaves])
