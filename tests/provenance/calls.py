"""Operations that call a program inside, once or in lanes; and some that the pass does not know."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from provenance.drawing import nests

from vipl._core import structural_vmap
from vipl._core.errors import VIPLError

NO_LANES = ("composite", "ragged_dot")  # what JAX 0.10 to 0.12 cannot batch


def _relu_like(function):
    wrapped = jax.custom_jvp(function)
    wrapped.defjvp(lambda primals, tangents: (wrapped(*primals), wrapped(*primals)))
    return wrapped


def _custom_vjp(function):
    wrapped = jax.custom_vjp(function)
    wrapped.defvjp(lambda *xs: (wrapped(*xs), xs), lambda xs, g: xs)
    return wrapped


def _custom_vmap(function):
    wrapped = jax.custom_batching.custom_vmap(function)

    @wrapped.def_vmap
    def rule(axis_size, in_batched, *xs):
        out = jax.vmap(function, [0 if batched else None for batched in in_batched], axis_size=axis_size)(*xs)
        return out, jax.tree.map(lambda _: True, out)

    return wrapped


def called(wrap):
    """A body in a wrapper that only calls it."""

    @nests
    def operation(draw):
        operands = [draw.pick(), draw.pick("i" if draw.chance() else "f")]
        function, captured, _ = draw.body([draw.avals[i] for i in operands])
        draw.apply(wrap(lambda *xs: function(*xs)), *operands, *captured)

    return operation


@nests
def _derivative(draw):
    """A derivative in one operand, where there is one."""
    operands = [draw.pick()]
    function, captured, _ = draw.body([draw.avals[i] for i in operands], count=1)

    def total(*xs):
        return sum(jnp.sum(jnp.sin(out)) for out in function(*xs) if out.dtype == jnp.float32)

    try:
        draw.apply(jax.grad(total), *operands, *captured)
    except (VIPLError, NotImplementedError, ValueError, TypeError):
        draw.apply(jnp.tanh, *operands)


@nests
def _vmap(draw):
    """Lanes along any axis of the operands, one of which may be shared, and any of the results."""
    size = draw.size()
    shapes = [draw.shape(0, 2) for _ in range(2)]
    axes = [int(draw.rng.integers(len(shape) + 1)) for shape in shapes]
    shared = draw.chance(0.3)
    function, captured, outs = draw.body(
        [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes], without=NO_LANES
    )
    full = [(*s[:a], size, *s[a:]) for s, a in zip(shapes, axes, strict=True)]
    operands = [draw.shaped(full[0]), draw.shaped(shapes[1] if shared else full[1])]
    in_axes = (axes[0], None if shared else axes[1], *(None for _ in captured))
    out_axes = [int(draw.rng.integers(len(out.shape) + 1)) for out in outs]
    draw.apply(jax.vmap(function, in_axes, out_axes), *operands, *captured)


def kept_vmap(function, in_axes, size):
    """`vipl.vmap` of arrays as it is with a statement in the body, where it stays one equation."""

    def mapped(*arrays):
        with mock.patch.object(structural_vmap, "_speaks", return_value=True):
            return structural_vmap.structural_vmap(function, in_axes, size)(*arrays)

    return mapped


@nests
def _structural(draw):
    size = draw.size()
    shapes = [draw.shape(0, 2) for _ in range(2)]
    shared = draw.chance(0.3)
    function, captured, _ = draw.body([jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes], without=NO_LANES)
    operands = [draw.shaped((size, *shapes[0])), draw.shaped(shapes[1] if shared else (size, *shapes[1]))]
    in_axes = (0, None if shared else 0, *(None for _ in captured))
    draw.apply(kept_vmap(function, in_axes, size), *operands, *captured)


def _sorted_flat(x):
    return np.sort(np.asarray(x).ravel()).reshape(x.shape)


def _callback(draw):
    draw.apply(
        lambda x: jax.pure_callback(_sorted_flat, x, x, vmap_method="sequential"),
        draw.pick(least=1),
    )  # fmt: skip


def _generator(draw):
    index = draw.shaped((4,), "i")
    draw.apply(lambda i: (lax.rng_bit_generator(i.astype(jnp.uint32), (2,))[1] & 255).astype(jnp.int32), index)


def _ragged(draw):
    rows, inner = draw.size(), draw.size()
    x, w, sizes = draw.shaped((rows, inner)), draw.shaped((2, inner, draw.size())), draw.shaped((2,), "i")
    draw.apply(lambda x, w, s: lax.ragged_dot(x, w, jnp.abs(s)), x, w, sizes)


def _barrier(draw):
    draw.apply(lambda x, y: lax.optimization_barrier((x, y, x)), draw.pick(), draw.pick())


OPERATIONS = {
    "jit": called(jax.jit),
    "custom_jvp": called(_relu_like),
    "custom_vjp": called(_custom_vjp),
    "custom_vmap": called(_custom_vmap),
    "remat": called(jax.checkpoint),
    "composite": called(lambda f: lax.composite(f, "tests.body")),
    "derivative": _derivative,
    "vmap": _vmap,
    "structural_vmap": _structural,
    "pure_callback": _callback,
    "rng_bit_generator": _generator,
    "ragged_dot": _ragged,
    "barrier": _barrier,
    "relu": lambda draw: draw.apply(lambda x: (jax.nn.relu(x), jax.nn.softplus(x), jax.nn.gelu(x)), draw.pick()),
    "device_put": lambda draw: draw.apply(lambda x, y: jax.device_put((x, y)), draw.pick(), draw.pick()),
}
