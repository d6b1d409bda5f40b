"""Operations that move elements about without mixing them."""

import jax.numpy as jnp
import numpy as np
from jax import lax


def _transpose(draw):
    x = draw.pick(least=2)
    order = tuple(int(a) for a in draw.rng.permutation(len(draw.shape_of(x))))
    draw.apply(lambda x: lax.transpose(x, order), x)


def _reshape(draw):
    """Split, merge, or both: any shape of as many elements."""
    x = draw.pick(least=1)
    left, shape = int(np.prod(draw.shape_of(x))), []
    while left > 1 and len(shape) < 3:
        divisors = [d for d in range(1, left + 1) if left % d == 0]
        shape.append(int(draw.rng.choice(divisors)))
        left //= shape[-1]
    shape.insert(draw.rng.integers(len(shape) + 1), left)
    draw.apply(lambda x: x.reshape(shape), x)


def _merge(draw):
    x = draw.pick(least=2)
    shape = draw.shape_of(x)
    at = int(draw.rng.integers(len(shape) - 1))
    draw.apply(lambda x: x.reshape(*shape[:at], -1, *shape[at + 2 :]), x)


def _split_axis(draw):
    """Make one axis of two, where an earlier product has such a size, or else an axis of size 1."""
    shape = draw.shape(2, 3)
    x = draw.shaped((int(np.prod(shape[:2])), *shape[2:]))
    draw.apply(lambda x: x.reshape(shape), x)


def _dimensions(draw):
    x = draw.pick(least=1)
    order = tuple(int(a) for a in draw.rng.permutation(len(draw.shape_of(x))))
    draw.apply(lambda x: lax.reshape(x, (x.size,), order), x)


def _expand(draw):
    x = draw.pick(most=2)
    axis = int(draw.rng.integers(len(draw.shape_of(x)) + 1))
    draw.apply(lambda x: jnp.expand_dims(x, axis), x)


def _squeeze(draw):
    shape = list(draw.shape(0, 2))
    at = int(draw.rng.integers(len(shape) + 1))
    shape.insert(at, 1)
    draw.apply(lambda x: lax.squeeze(x, (at,)), draw.shaped(shape))


def _broadcast(draw):
    target = draw.shape(1, 3)
    kept = sorted(draw.rng.choice(len(target), draw.rng.integers(len(target) + 1), replace=False).tolist())
    shape = tuple(1 if draw.chance(0.3) else target[axis] for axis in kept)
    draw.apply(lambda x: lax.broadcast_in_dim(x, target, kept), draw.shaped(shape))


def _axis(draw, value):
    return int(draw.rng.integers(len(draw.shape_of(value))))


def _slice(draw):
    x = draw.pick(least=1)
    bounds = []
    for size in draw.shape_of(x):
        start = int(draw.rng.integers(size)) if draw.chance() else 0
        stop = int(draw.rng.integers(start, size)) + 1 if draw.chance() else size
        bounds.append((start, stop, int(draw.rng.integers(1, 3))))
    draw.apply(lambda x: lax.slice(x, *zip(*bounds, strict=True)), x)


def _pad(draw):
    x = draw.pick(least=1)
    config = [
        (0, 0, 0)
        if draw.chance()
        else (int(draw.rng.integers(-1, 3)), int(draw.rng.integers(3)), int(draw.rng.integers(2)))
        for _ in draw.shape_of(x)
    ]
    draw.apply(lambda x, value: lax.pad(x, value, config), x, draw.shaped(()))


def _concatenate(draw):
    x = draw.pick(least=1)
    axis, other = _axis(draw, x), list(draw.shape_of(x))
    other[axis] = draw.size()
    draw.apply(lambda x, y: lax.concatenate([x, y], axis), x, draw.shaped(other))


def _along(function):
    """A function of an array and an axis."""

    def operation(draw):
        x = draw.pick(least=1)
        axis = _axis(draw, x)
        draw.apply(lambda x: function(x, axis), x)

    return operation


def _stack(draw):
    x = draw.pick(most=2)
    axis = int(draw.rng.integers(len(draw.shape_of(x)) + 1))
    draw.apply(lambda x, y: jnp.stack([x, y, x], axis), x, draw.shaped(draw.shape_of(x)))


def _tile(draw):
    x = draw.pick(least=1, most=2)
    counts = tuple(int(draw.rng.integers(1, 3)) for _ in draw.shape_of(x))
    draw.apply(lambda x: jnp.tile(x, counts), x)


def _iota(draw):
    x = draw.pick(least=1)
    axis = _axis(draw, x)
    draw.apply(lambda x: x * lax.broadcasted_iota(jnp.float32, x.shape, axis), x)


OPERATIONS = {
    "transpose": _transpose,
    "reshape": _reshape,
    "merge": _merge,
    "split_axis": _split_axis,
    "reshape_dimensions": _dimensions,
    "expand_dims": _expand,
    "squeeze": _squeeze,
    "broadcast": _broadcast,
    "slice": _slice,
    "pad": _pad,
    "concatenate": _concatenate,
    "rev": _along(lambda x, axis: lax.rev(x, (axis,))),
    "roll": _along(lambda x, axis: jnp.roll(x, 1, axis)),
    "split_sizes": _along(lambda x, axis: lax.split(x, (1, x.shape[axis] - 1), axis)),
    "unstack": _along(lambda x, axis: list(jnp.unstack(x, axis=axis))),
    "repeat": _along(lambda x, axis: jnp.repeat(x, 2, axis)),
    "stack": _stack,
    "tile": _tile,
    "iota": _iota,
}
