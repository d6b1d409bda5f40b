"""Choices alone, in plates and in lanes."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl import lang
from vipl.testing.contexts.context import SCALES, context, cost, grid, stacked


def _summed(mean, theta):
    return sum(mean(theta * s, lambda u, s=s: s * cost(theta, u)) for s in SCALES)


def _product(mean, theta):
    a, b, c = (mean(theta * s, lambda u: 1 + 0.5 * u) for s in SCALES)
    return a * b * c


@context(lambda mean, theta: mean(theta, lambda u: cost(theta, u)))
def scalar(draw, theta):
    """One choice."""
    return cost(theta, draw("x", theta))


@context(_summed)
def plate(draw, theta):
    """A plate whose elements the cost treats separately."""
    with lang.plate("n", 3):
        u = draw("x", stacked(theta))
    return jnp.sum(jnp.array(SCALES) * cost(theta, u))


@context(_product)
def product_across_plate(draw, theta):
    """A plate whose elements the cost mixes: a joint axis."""
    with lang.plate("n", 3):
        u = draw("x", stacked(theta))
    return jnp.prod(1 + 0.5 * u)


def _nested_rows(mean, theta):
    rows = ((1.0, 0.7), (1.2, 0.9))
    return sum(mean(theta * a, lambda u, b=b: mean(theta * b, lambda v: cost(theta, u, v))) for a, b in rows)


@context(_nested_rows)
def nested_plate(draw, theta):
    """Two plates, of which the cost mixes one."""
    with lang.plate("row", 2, dim=-2), lang.plate("column", 2, dim=-1):
        u = draw("x", grid(theta))
    return jnp.sum(cost(theta, u[:, 0], u[:, 1]))


@context(_summed)
def jax_vmap(draw, theta):
    """The lanes of a `jax.vmap`, treated separately."""
    return jnp.sum(jax.vmap(lambda t, s: s * cost(theta, draw("x", t)))(stacked(theta), jnp.array(SCALES)))


@context(_product, lanes_mixed=True)
def product_across_jax_vmap(draw, theta):
    """The lanes of a `jax.vmap`, mixed."""
    return jnp.prod(1 + 0.5 * jax.vmap(lambda t: draw("x", t))(stacked(theta)))


@context(lambda mean, theta: 3 * mean(theta, lambda u: cost(theta, u)))
def vipl_vmap(draw, theta):
    """The lanes of a `vipl.vmap`, treated separately."""
    return jnp.sum(lang.vmap(lambda: cost(theta, draw("x", theta)), axis_size=3)())


def _product_of_lanes(mean, theta):
    return mean(theta, lambda u: 1 + 0.5 * u) ** 3


@context(_product_of_lanes)
def product_across_vipl_vmap(draw, theta):
    """The lanes of a `vipl.vmap`, mixed."""
    return jnp.prod(1 + 0.5 * lang.vmap(lambda: draw("x", theta), axis_size=3)())
