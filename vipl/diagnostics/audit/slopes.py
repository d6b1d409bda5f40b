"""Slopes of an expectation along a few directions: differences of two steps, and its gradient, in the same draws."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from vipl.diagnostics.audit.draws import NUM_CHUNKS, largest_share
from vipl.diagnostics.audit.variant import Variant

NUM_DIRECTIONS = 4
_STEP = 0.05  # of each parameter's size
_INNER = 0.61  # the inner step, of the outer one; no simple fraction, so that a wave does not hide from both
_SHORTER = 0.25
_SHORTEST = 6  # times shorter
_CHANGE = 0.3  # a step that changes the gradient of a draw by more than this share is too long


@dataclasses.dataclass(frozen=True)
class Slopes:
    """What was found along every direction.

    Attributes:
        excess: gradient less difference, means of chunks: `(num_chunks, num_directions)`.
        correction: what extrapolation added to that, likewise.
        gradient: along the directions, likewise.
        floor: how much of the mean excess may be rounding: `(num_directions,)`.
        largest_share: share of the squared excess that one draw carries.
    """

    excess: np.ndarray
    correction: np.ndarray
    gradient: np.ndarray
    floor: np.ndarray
    largest_share: float

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of the mean excess."""
        return np.hypot(self.excess.std(axis=0, ddof=1) / np.sqrt(NUM_CHUNKS), self.floor)

    @property
    def allowance(self) -> np.ndarray:
        """How far off the extrapolation may be: not more than it changed the differences."""
        return np.abs(self.correction.mean(axis=0))

    @property
    def scores(self) -> np.ndarray:
        """The mean excess beyond the allowance, in standard errors."""
        mean = self.excess.mean(axis=0)
        return np.sign(mean) * np.maximum(np.abs(mean) - self.allowance, 0.0) / np.maximum(self.errors, 1e-300)


def random_directions(key, leaves) -> list:
    """Return unit directions, in units of each parameter's own size: `(num_directions, *shape)` for each leaf."""
    dimension = sum(np.size(leaf) for leaf in leaves)
    if dimension <= NUM_DIRECTIONS:
        units = jnp.eye(dimension)
    else:
        units = jax.random.normal(key, (NUM_DIRECTIONS, dimension))
        units = units / jnp.linalg.norm(units, axis=1, keepdims=True)
    edges = np.cumsum([np.size(leaf) for leaf in leaves])[:-1]
    parts = jnp.split(units, edges, axis=1)
    return [
        (part.reshape(-1, *leaf.shape) * jnp.where(leaf == 0, 1.0, jnp.abs(leaf))).astype(leaf.dtype)
        for part, leaf in zip(parts, leaves, strict=True)
    ]


def choose_steps(variant: Variant, leaves, others, directions, key, size: int) -> np.ndarray:
    """Return a step for every direction, so short that the gradient of a draw changes little along it."""
    steps = np.full(len(directions[0]), _STEP)
    for _ in range(_SHORTEST):
        drawn = np.asarray(_slopes(variant, size, leaves, others, directions, steps, key), dtype=np.float64)
        change = np.sqrt(np.mean(drawn[..., 4:6] ** 2, axis=0)).max(axis=-1)
        too_long = change > _CHANGE * np.sqrt(np.mean(drawn[..., 2] ** 2, axis=0))
        if not too_long.any():
            break
        steps = np.where(too_long, _SHORTER * steps, steps)
    return steps


def measure_slopes(variant: Variant, leaves, others, directions, steps, key, size: int, runs: int = 1) -> Slopes:
    """Draw slopes: `runs` times `size` in each chunk."""
    keys = [jax.random.fold_in(key, run) for run in range(NUM_CHUNKS * runs)]
    drawn = [np.asarray(_slopes(variant, size, leaves, others, directions, steps, k)) for k in keys]
    eps = np.finfo(drawn[0].dtype).eps
    outer, inner, gradient, value, *_ = np.moveaxis(np.concatenate(drawn).astype(np.float64), -1, 0)
    correction = (inner - outer) * _INNER**2 / (1 - _INNER**2)
    excess = inner + correction
    squares = np.sum((excess - excess.mean(axis=0)) ** 2, axis=1)
    floor = 4 * eps * np.sqrt(np.mean(value**2, axis=0)) / steps
    share = largest_share(squares) if squares.mean() > np.sum(floor**2) else 0.0
    by_chunk = lambda x: x.reshape(NUM_CHUNKS, -1, x.shape[-1]).mean(axis=1)  # noqa: E731
    return Slopes(by_chunk(excess), by_chunk(correction), by_chunk(gradient), floor, share)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _slopes(variant: Variant, size: int, leaves, others, directions, steps, key):
    """Draw along every direction: `(size, num_directions, 6)`.

    The last axis holds the gradient less the difference of the outer step, and of the inner one; the gradient; the
    value; and how much the gradient changes over the inner step, and the outer one.
    """

    def one(draw):
        key_draw = jax.random.fold_in(key, draw)
        estimate = jax.value_and_grad(lambda leaves: variant.estimate(leaves, others, key_draw))

        def along(inputs):
            direction, step = inputs
            distances = step * jnp.array([-1.0, -_INNER, 0.0, _INNER, 1.0])
            moved = [
                leaf + (distances.reshape(-1, *[1] * leaf.ndim) * d).astype(leaf.dtype)
                for leaf, d in zip(leaves, direction, strict=True)
            ]
            values, gradients = lax.map(estimate, moved)

            def difference(down, up):  # along the distance that rounding leaves of a step
                taken = sum(jnp.vdot(g[2], m[up] - m[down]) for g, m in zip(gradients, moved, strict=True))
                return (taken - (values[up] - values[down])) / (distances[up] - distances[down])

            parts = [jax.vmap(jnp.vdot, (0, None))(g, d) for g, d in zip(gradients, direction, strict=True)]
            slopes = sum(parts[1:], parts[0])
            changes = slopes[3:] - slopes[2]
            return jnp.stack([difference(0, 4), difference(1, 3), slopes[2], values[2], changes[0], changes[1]])

        return lax.map(along, (directions, jnp.asarray(steps)))

    return lax.map(one, jnp.arange(size))
