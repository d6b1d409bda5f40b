"""Operations that mix elements: reductions, sorts, contractions, windows, linear algebra."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from provenance.drawing import to_float


def _axis(draw, value):
    return int(draw.rng.integers(len(draw.shape_of(value))))


def reduced(function, kind="f"):
    """A function of an array and some of its axes."""

    def operation(draw):
        x = draw.pick(kind, least=1)
        count = int(draw.rng.integers(1, len(draw.shape_of(x)) + 1))
        axes = tuple(sorted(draw.rng.choice(len(draw.shape_of(x)), count, replace=False).tolist()))
        draw.apply(lambda x: function(x, axes), x)

    return operation


def along(function):
    """A function of an array and one axis."""

    def operation(draw):
        x = draw.pick(least=1)
        axis = _axis(draw, x)
        draw.apply(lambda x: function(x, axis), x)

    return operation


def cumulative(name, reverse):
    return lambda x, axis: getattr(lax, name)(x, axis=axis, reverse=reverse)


def _general_reduce(x, axes):
    return lax.reduce(x, np.float32(0), lambda a, b: a + b + 0.1 * a * b, axes)


def _sort_many(draw):
    x = draw.pick(least=1)
    axis, others = _axis(draw, x), [draw.shaped(draw.shape_of(x)), draw.shaped(draw.shape_of(x), "i")]
    keys = int(draw.rng.integers(1, 3))
    draw.apply(lambda *xs: lax.sort(xs, dimension=axis, num_keys=keys), x, *others)


def _top_k(draw):
    x = draw.pick(least=1)
    axis = _axis(draw, x)
    count = int(draw.rng.integers(1, draw.shape_of(x)[axis] + 1))
    draw.apply(lambda x: lax.top_k(x, count, axis=axis), x)
    draw.apply(lambda x: lax.approx_max_k(x, count, reduction_dimension=axis - x.ndim), x)


def _einsum(draw):
    """Any pair of operands over the letters a to d, with any of them left."""
    letters = {letter: draw.size() for letter in "abcd"}
    left, right = ("".join(draw.rng.permutation(list(letters))[: draw.rng.integers(1, 4)]) for _ in range(2))
    both = sorted({*left, *right})
    out = "".join(draw.rng.permutation(both)[: draw.rng.integers(0, min(3, len(both)) + 1)])
    operands = [draw.shaped([letters[letter] for letter in term]) for term in (left, right)]
    draw.apply(lambda x, y: jnp.einsum(f"{left},{right}->{out}", x, y), *operands)


def _dot_general(draw):
    """Contracted and batch axes at any place of either operand."""
    labels = ["batch", "contract", "left", "right"]
    sizes = {label: draw.size() for label in labels}
    left = list(draw.rng.permutation(["batch", "contract", "left"][: draw.rng.integers(1, 4)]))
    right = list(draw.rng.permutation(["batch", "contract", "right"] if "contract" in left else ["batch", "right"]))
    places = [([x.index(label)] if label in left else []) for label in ("contract", "batch") for x in (left, right)]
    numbers = ((places[0], places[1]), (places[2], places[3]))
    operands = [draw.shaped([sizes[label] for label in labels_of]) for labels_of in (left, right)]
    draw.apply(lambda x, y: lax.dot_general(x, y, numbers), *operands)


def _convolution(draw):
    """One spatial axis, any layout, groups, stride, padding and dilation."""
    groups, batches = [(1, 1), (2, 1), (1, 2)][draw.rng.integers(3)]
    width, features, batch = draw.size() + 1, groups * draw.size(), batches * draw.size()
    kernel, out = int(draw.rng.integers(1, 3)), groups * batches * draw.size()
    layouts = tuple(str(draw.rng.choice(x)) for x in (["NCH", "HNC", "NHC"], ["OIH", "HIO"], ["NCH", "CHN", "NHC"]))
    sizes = {"N": batch, "C": features, "H": width, "O": out, "I": features // groups}
    x = draw.shaped([sizes[letter] for letter in layouts[0]])
    w = draw.shaped([kernel if letter == "H" else sizes[letter] for letter in layouts[1]])
    plain = draw.chance()
    options = {} if plain else {"lhs_dilation": (int(draw.rng.integers(1, 3)),), "rhs_dilation": (2,)}
    stride, padding = (1, (0, 0)) if plain else (int(draw.rng.integers(1, 3)), (1, int(draw.rng.integers(3))))
    draw.apply(
        lambda x, w: lax.conv_general_dilated(
            x, w, (stride,), [padding], dimension_numbers=layouts, feature_group_count=groups,
            batch_group_count=batches, **options,
        ), x, w,
    )  # fmt: skip


def _windows(draw):
    def setting():
        if draw.chance():
            return 1, 1, (0, 0), 1
        return 1 + draw.chance(), 1 + draw.chance(), (1, int(draw.chance())), 1 + draw.chance()

    x = draw.pick(least=1)
    settings = [setting() for _ in draw.shape_of(x)]
    window, strides, padding, dilation = zip(*settings, strict=True)

    def pooled(x, start, function, dilation=None):
        return lax.reduce_window(x, np.float32(start), function, window, strides, padding, base_dilation=dilation)

    draw.apply(
        lambda x: [pooled(x, 0, lax.add, dilation), pooled(x, -np.inf, lax.max), pooled(x, np.inf, lax.min)],
        x,
    )
    draw.apply(lambda x: pooled(x, 0, lambda a, b: a + b + 0.1 * a * b, dilation), x)
    draw.apply(
        lambda x: jax.grad(lambda y: jnp.sum(jnp.where(jnp.isfinite(p := pooled(y, -np.inf, lax.max)), p, 0.0) ** 2))(
            x
        ),
        x,
    )
    draw.apply(
        lambda x, t: jax.jvp(lambda y: pooled(y, -np.inf, lax.max), (x,), (t,))[1],
        x,
        draw.shaped(draw.shape_of(x)),
    )


OPERATIONS = {
    **{name: reduced(getattr(jnp, name)) for name in ("sum", "max", "min", "prod", "mean", "var")},
    "all": reduced(lambda x, axes: lax.reduce_and(x, axes), "b"),
    "any": reduced(lambda x, axes: lax.reduce_or(x, axes), "b"),
    "reduce_xor": reduced(lambda x, axes: lax.reduce_xor(x, axes), "i"),
    "reduce": reduced(_general_reduce),
    **{name: along(getattr(jnp, name)) for name in ("argmax", "argmin", "sort", "argsort")},
    "softmax": along(jax.nn.softmax),
    "logsumexp": along(jax.scipy.special.logsumexp),
    **{
        name + suffix: along(cumulative(name, reverse=bool(suffix)))
        for name in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp") for suffix in ("", "_reverse")
    },
    "associative_scan": along(lambda x, axis: lax.associative_scan(jnp.add, x, axis=axis)),
    "fft": along(lambda x, axis: to_float(jnp.fft.fft(x, axis=axis))),
    "sort_many": _sort_many,
    "top_k": _top_k,
    "einsum": _einsum,
    "dot_general": _dot_general,
    "conv": _convolution,
    "windows": _windows,
}  # fmt: skip
