"""Operations with a program inside: calls, branches, loops, lanes; and some that the pass does not know."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from vipl._core.errors import VIPLError
from vipl._core.structural_vmap import structural_vmap


def nests(operation):
    operation.nests = True
    return operation


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
def _branches(draw):
    operand, choice = draw.pick(), draw.shaped((), "i" if draw.chance() else "b")
    bodies = [draw.body([draw.avals[operand]]) for _ in range(2 + (draw.avals[choice].dtype != bool))]
    taken = {}  # results that all branches have
    for _, _, outs in bodies:
        shapes = [(out.shape, out.dtype) for out in outs]
        taken = {s: [*taken.get(s, []), shapes.index(s)] for s in shapes if taken.get(s) or not taken or s == shapes[0]}
    taken = [places for places in taken.values() if len(places) == len(bodies)]
    counts = np.cumsum([0, *(len(captured) for _, captured, _ in bodies)])

    def branch(b):
        function = bodies[b][0]
        return lambda x, rest: [function(x, *rest[counts[b] : counts[b + 1]])[places[b]] * 1 for places in taken]

    def run(chosen, x, *rest):
        if chosen.dtype == bool:
            return lax.cond(chosen, branch(0), branch(1), x, rest)
        return lax.switch(chosen, [branch(b) for b in range(len(bodies))], x, rest)

    draw.apply(run, choice, operand, *(i for _, captured, _ in bodies for i in captured))


@nests
def _scan(draw):
    """Carry and slices go through a body; its results of the carry's shape become the next carry."""
    length, reverse = draw.size(), draw.chance()
    carry = draw.pick(most=2)
    slices = [draw.shaped((length, *(draw.shape_of(carry) if draw.chance() else draw.shape(0, 2)))) for _ in range(2)]
    lane = [jax.ShapeDtypeStruct(draw.shape_of(x)[1:], jnp.float32) for x in slices]
    function, captured, outs = draw.body([draw.avals[carry], *lane], int(draw.rng.integers(1, 4)))
    same = [i for i, out in enumerate(outs) if (out.shape, out.dtype) == (draw.shape_of(carry), np.float32) and i]
    keeps = draw.chance(0.25)

    def run(start, first, second, *rest):
        def step(state, x):
            results = function(state, *x, *rest)
            after = state if keeps else jnp.sin(0.7 * state + sum(results[i] for i in same))
            return after, results

        return lax.scan(step, start, (first, second), reverse=reverse)

    draw.apply(run, carry, *slices, *captured)


def _recurrence(draw):
    """A loop whose body may put the carry out before or after the step."""
    length, shape, reverse = draw.size(), draw.shape(0, 1), draw.chance()
    start, xs, ys = draw.shaped(shape), draw.shaped((length, *shape)), draw.shaped((length, *shape))

    def step(state, x):
        after = jnp.tanh(state) + x[0]
        return after, (state, after * x[1], jnp.exp(-x[1] ** 2))

    draw.apply(lambda start, *xs: lax.scan(step, start, xs, reverse=reverse), start, xs, ys)


@nests
def _while(draw):
    """A loop whose length depends on an operand; in `vmap`, on each lane's own."""
    carry, limit = draw.pick(), draw.shaped((), "i")
    function, captured, outs = draw.body([draw.avals[carry]])
    same = [i for i, out in enumerate(outs) if (out.shape, out.dtype) == (draw.shape_of(carry), np.float32)]
    by_value = draw.chance()

    def run(x, limit, *rest):
        def go_on(state):
            return (state[0] < (3 if by_value else limit)) & (jnp.sum(state[1]) < 2 if by_value else True)

        return lax.while_loop(
            go_on, lambda s: (s[0] + 1, jnp.sin(0.5 + sum(function(s[1], *rest)[i] for i in same))), (jnp.int32(0), x)
        )

    draw.apply(run, carry, limit, *captured)


def _lane_loops(draw):
    """Each lane loops as long as its own limit says."""
    x = draw.pick(least=1)
    size = draw.shape_of(x)[0]
    fixed = draw.shaped(())

    def lane(x, limit, fixed):
        step = lambda s: (s[0] + 1, jnp.sin(s[1] * 1.3 + fixed))  # noqa: E731
        return lax.while_loop(lambda s: s[0] < limit, step, (0, x))[1], lax.fori_loop(0, limit, lambda i, y: y * 0.5, x)

    draw.apply(jax.vmap(lane, (0, 0, None)), x, draw.shaped((size,), "i"), fixed)


@nests
def _vmap(draw):
    """Lanes along any axis of the operands, one of which may be shared, and any of the results."""
    size = draw.size()
    shapes = [draw.shape(0, 2) for _ in range(2)]
    axes = [int(draw.rng.integers(len(shape) + 1)) for shape in shapes]
    shared = draw.chance(0.3)
    function, captured, outs = draw.body([jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes])
    full = [(*s[:a], size, *s[a:]) for s, a in zip(shapes, axes, strict=True)]
    operands = [draw.shaped(full[0]), draw.shaped(shapes[1] if shared else full[1])]
    in_axes = (axes[0], None if shared else axes[1], *(None for _ in captured))
    out_axes = [int(draw.rng.integers(len(out.shape) + 1)) for out in outs]
    draw.apply(jax.vmap(function, in_axes, out_axes), *operands, *captured)


@nests
def _structural(draw):
    size = draw.size()
    shapes = [draw.shape(0, 2) for _ in range(2)]
    shared = draw.chance(0.3)
    function, captured, _ = draw.body([jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes])
    operands = [draw.shaped((size, *shapes[0])), draw.shaped(shapes[1] if shared else (size, *shapes[1]))]
    in_axes = (0, None if shared else 0, *(None for _ in captured))
    draw.apply(structural_vmap(function, in_axes, size), *operands, *captured)


def _callback(draw):
    draw.apply(
        lambda x: jax.pure_callback(lambda x: np.sort(np.asarray(x).ravel()).reshape(x.shape), x, x, vmap_method="sequential"),
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
    "branches": _branches,
    "scan": _scan,
    "recurrence": _recurrence,
    "while": _while,
    "lane_loops": _lane_loops,
    "vmap": _vmap,
    "structural_vmap": _structural,
    "pure_callback": _callback,
    "rng_bit_generator": _generator,
    "ragged_dot": _ragged,
    "barrier": _barrier,
    "relu": lambda draw: draw.apply(lambda x: (jax.nn.relu(x), jax.nn.softplus(x), jax.nn.gelu(x)), draw.pick()),
    "device_put": lambda draw: draw.apply(lambda x, y: jax.device_put((x, y)), draw.pick(), draw.pick()),
}
