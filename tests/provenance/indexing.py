"""Operations that read or write at indices; the indices may come from inputs too."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

MODES = ["fill", "clip", "wrap"]


def _axis(draw, value):
    return int(draw.rng.integers(len(draw.shape_of(value))))


def _take(draw):
    x, index = draw.pick(least=1), draw.pick("i", most=2)
    axis, mode = _axis(draw, x), str(draw.rng.choice(MODES))
    draw.apply(lambda x, i: jnp.take(x, i, axis=axis, mode=mode), x, index)


def _take_fixed(draw):
    x = draw.pick(least=1)
    axis = _axis(draw, x)
    index = draw.rng.permutation(draw.shape_of(x)[axis]) if draw.chance() else draw.rng.integers(0, 3, draw.size())
    draw.apply(lambda x: jnp.take(x, index, axis=axis, mode="clip"), x)


def _along_axis(draw):
    x = draw.pick(least=1)
    axis, shape = _axis(draw, x), list(draw.shape_of(x))
    shape[axis] = draw.size()
    draw.apply(lambda x, i: jnp.take_along_axis(x, i, axis=axis), x, draw.shaped(shape, "i"))


def _argsorted(draw):
    x = draw.pick(least=1)
    axis = _axis(draw, x)
    draw.apply(lambda x: jnp.take_along_axis(x, jnp.argsort(x, axis=axis), axis=axis), x)


def _both(draw):
    x, index = draw.pick(least=2), draw.pick("i", most=2)
    other = draw.shaped(draw.shape_of(index), "i")
    draw.apply(lambda x, i, j: x[i, j], x, index, other)


def _apart(draw):
    """Indices with a slice between them: their axes come first."""
    x, index = draw.pick(least=3), draw.pick("i", most=1)
    draw.apply(lambda x, i: (x[i, :, 0], x[:, i], x[:, :, i], x[0, :, i]), x, index)


def _range_and(draw):
    """The pattern `x[arange(n), labels]`."""
    x = draw.pick(least=2)
    count = draw.shape_of(x)[0]
    draw.apply(lambda x, i: x[jnp.arange(count), i], x, draw.shaped((count,), "i"))


def _diagonal(draw):
    size = draw.size()
    draw.apply(lambda x: (jnp.diagonal(x), jnp.tril(x), jnp.diagonal(x, 0, -2, -1), jnp.trace(x)),
               draw.shaped((size, size, size)[: draw.rng.integers(2, 4)]))  # fmt: skip


def _lanes(draw):
    """A gather or a scatter in `vmap`, over any of the axes of either operand."""
    size = draw.size()
    lane, index = draw.shape(1, 2), draw.shape(0, 1)
    at_x, at_i = int(draw.rng.integers(len(lane) + 1)), int(draw.rng.integers(len(index) + 1))
    x = draw.shaped((*lane[:at_x], size, *lane[at_x:]))
    i = draw.shaped((*index[:at_i], size, *index[at_i:]), "i")
    out = int(draw.rng.integers(len(lane)))
    functions = [
        lambda x, i: jnp.take(x, i, axis=0, mode="clip"),
        lambda x, i: x.at[..., i].add(2 * x[..., i]),
    ]
    for function in functions:
        draw.apply(jax.vmap(function, (at_x, at_i), out), x, i)
    draw.apply(jax.vmap(lambda x, i: x[jnp.ravel(i)[0]], (at_x, at_i)), x, i)
    draw.apply(jax.vmap(lambda x, i: x[i], (at_x, None)), x, i)
    draw.apply(jax.vmap(lambda x, i: lax.dynamic_slice_in_dim(x, jnp.ravel(i)[0], 1), (at_x, at_i)), x, i)


def _dynamic_slice(draw):
    x = draw.pick(least=1)
    sizes = tuple(int(draw.rng.integers(1, size + 1)) for size in draw.shape_of(x))
    starts = [draw.shaped((), "i") for _ in sizes]
    draw.apply(lambda x, *starts: lax.dynamic_slice(x, starts, sizes), x, *starts)


def _dynamic_update(draw):
    x = draw.pick(least=1)
    sizes = tuple(int(draw.rng.integers(1, size + 1)) if draw.chance() else size for size in draw.shape_of(x))
    starts = [draw.shaped((), "i") for _ in sizes]
    draw.apply(lambda x, u, *s: lax.dynamic_update_slice(x, u, s), x, draw.shaped(sizes), *starts)


def _scatter(draw):
    """Write rows at indices along one axis, in each of the ways there are."""
    x, index = draw.pick(least=1), draw.pick("i", least=1, most=1)
    axis = _axis(draw, x)
    count = draw.shape_of(index)[0]
    rows = (count, *np.delete(draw.shape_of(x), axis).tolist())
    for way in ("set", "add", "subtract", "multiply", "min", "max"):
        draw.apply(lambda x, i, u, way=way: _written(x, i, u, axis, way), x, index, draw.shaped(rows))


def _written(x, i, u, axis, way):
    at = jnp.moveaxis(x, axis, 0).at[i]
    return jnp.moveaxis(getattr(at, way)(u), 0, axis)


def _scatter_window(draw):
    """Write windows narrower than the axes, or at pairs of indices, or through a function."""
    x = draw.pick(least=2)
    index = draw.shaped((draw.size(),), "i")
    draw.apply(
        lambda x, i, u: (
            x.at[i, 0].set(u),
            x.at[:, i].apply(jnp.sin),
            x.at[i, : x.shape[1] - 1].add(1.0),
            x.at[0, i].max(u[0]),
        ),
        x, index, draw.shaped((*draw.shape_of(index), *draw.shape_of(x)[2:])),
    )  # fmt: skip


def _batched_scatter(draw):
    x = draw.pick(least=2, most=2)
    rows, _ = draw.shape_of(x)
    index, values = draw.shaped((rows, draw.size()), "i"), None
    values = draw.shaped(draw.shape_of(index))
    draw.apply(jax.vmap(lambda x, i, u: x.at[i].set(u)), x, index, values)
    draw.apply(
        jax.vmap(lambda x, i, u: x.at[i].add(u), (0, 0, None), 1),
        x,
        index,
        draw.shaped(draw.shape_of(index)[1:]),
    )


def _derivative(draw):
    """What reverse mode makes of gathers: scatter-adds."""
    x, index = draw.pick(least=2), draw.pick("i", most=1)
    draw.apply(lambda x, i: jax.grad(lambda y: jnp.sum(jnp.sin(jnp.take(y, i, axis=1, mode="clip"))))(x), x, index)
    draw.apply(lambda x: jax.grad(lambda y: jnp.sum(jnp.sort(y, axis=0)[0] ** 2))(x), x)


OPERATIONS = {
    "take": _take,
    "take_fixed": _take_fixed,
    "take_along_axis": _along_axis,
    "argsorted": _argsorted,
    "index_both": _both,
    "index_apart": _apart,
    "index_range": _range_and,
    "diagonal": _diagonal,
    "gather_lanes": _lanes,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update,
    "scatter": _scatter,
    "scatter_window": _scatter_window,
    "batched_scatter": _batched_scatter,
    "gather_derivative": _derivative,
}
