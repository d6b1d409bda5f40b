"""Operations that branch and loop."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from provenance.drawing import nests


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
        return lambda x, rest: [function(x, *rest[counts[b] : counts[b + 1]])[places[b]] * (1 + b) for places in taken]

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
        return after, (state, after * x[1], jnp.exp(-(x[1] ** 2)))

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
            go_on,
            lambda s: (s[0] + 1, jnp.sin(0.5 + sum(function(s[1], *rest)[i] for i in same))),
            (jnp.int32(0), x),
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


OPERATIONS = {
    "branches": _branches,
    "scan": _scan,
    "recurrence": _recurrence,
    "while": _while,
    "lane_loops": _lane_loops,
}
