"""Random programs: values drawn one after the other, each an operation on earlier ones.

An operation is a function of a `Draw`. It picks operands that are there (or, where none has the shape that
it needs, makes a new input) and applies a function of arrays to them. Bodies of loops, branches and lanes
are drawn in the same way.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

KINDS = {"f": np.dtype("float32"), "i": np.dtype("int32"), "b": np.dtype("bool")}
LARGEST = 64
DEEPEST = 2


def nests(operation):
    """Mark an operation that draws a body."""
    operation.nests = True
    return operation


class Draw:
    """One program in the making; `operations` maps names to operations."""

    def __init__(self, rng, operations, inputs=(), level=0):
        self.rng, self.operations, self.level = rng, operations, level
        self.sizes = [int(size) for size in rng.choice([1, 2, 3, 4], 2)]
        self.avals, self.inputs, self.steps = [], [], []
        for aval in inputs:
            self._input(aval)

    def _input(self, aval):
        self.inputs.append(len(self.avals))
        self.avals.append(jax.ShapeDtypeStruct(aval.shape, aval.dtype))
        return self.inputs[-1]

    def size(self):
        return int(self.rng.choice(self.sizes))

    def shape(self, least=0, most=3):
        return tuple(self.size() for _ in range(self.rng.integers(least, most + 1)))

    def chance(self, probability=0.5):
        return bool(self.rng.random() < probability)

    def shaped(self, shape, kind="f"):
        """Return a value of just this shape, a new input if there is none."""
        fits = [i for i, a in enumerate(self.avals) if a.shape == tuple(shape) and a.dtype == KINDS[kind]]
        if not fits or self.chance(0.2):
            return self._input(jax.ShapeDtypeStruct(tuple(shape), KINDS[kind]))
        return int(self.rng.choice(fits[-4:]))

    def pick(self, kind="f", least=0, most=3):
        """Return a value with so many axes, most often a recent one."""
        fits = [
            i for i, a in enumerate(self.avals)
            if a.dtype == KINDS[kind] and least <= len(a.shape) <= most and a.size <= LARGEST
        ]  # fmt: skip
        return int(self.rng.choice(fits[-4:])) if fits else self.shaped(self.shape(least, most), kind)

    def shape_of(self, value):
        return self.avals[value].shape

    def apply(self, function, *operands):
        """Add the results of a function of arrays; returns them."""
        outs = jax.tree.leaves(jax.eval_shape(function, *(self.avals[i] for i in operands)))
        places = list(range(len(self.avals), len(self.avals) + len(outs)))
        self.avals += [jax.ShapeDtypeStruct(out.shape, out.dtype) for out in outs]
        self.steps.append((function, operands, places))
        return places

    def extend(self, count):
        """Add some operations, drawn at random."""
        names = sorted(self.operations)
        for _ in range(count):
            self.operations[names[self.rng.integers(len(names))]](self)

    def body(self, avals, count=2, without=()):
        """Draw a function of `avals`; returns it, what it closes over here, and the avals of its results.

        It is called with the closed-over values after its arguments, and its first results are its arguments.
        Operations in `without` are not in it, at any depth.
        """
        operations = {name: o for name, o in self.operations.items() if name not in without}
        if self.level >= DEEPEST:
            operations = {name: o for name, o in operations.items() if not getattr(o, "nests", False)}
        child = Draw(self.rng, operations, avals, self.level + 1)
        child.extend(count)
        captured = [self.shaped(child.avals[i].shape, _kind(child.avals[i])) for i in child.inputs[len(avals) :]]
        usual = [i for i, a in enumerate(child.avals) if a.dtype in KINDS.values() and i not in child.inputs]
        outs = [*child.inputs[: len(avals)], *usual[-2:]]
        return (lambda *arrays: child.run(arrays, outs)), captured, [child.avals[i] for i in outs]

    def run(self, arrays, outs):
        """Return the values `outs` for these inputs."""
        values = dict(zip(self.inputs, arrays, strict=True))
        for function, operands, places in self.steps:
            values.update(zip(places, jax.tree.leaves(function(*(values[i] for i in operands))), strict=True))
        return [values[i] for i in outs]


def _kind(aval):
    return next(kind for kind, dtype in KINDS.items() if dtype == aval.dtype)


@dataclasses.dataclass
class Drawn:
    """A finished program: a function of arrays and what they look like."""

    function: object
    inputs: list
    name: str


def draw_program(rng, names, operations, before=1, after=2) -> Drawn:
    """Draw a program that uses the named operations among others: at most so many before and after them."""
    draw, own = Draw(rng, operations), []
    draw.extend(int(rng.integers(before + 1)))
    for name in names:
        start = len(draw.avals)
        operations[name](draw)
        own += [i for i in range(start, len(draw.avals)) if i not in draw.inputs][-8:]
    draw.extend(int(rng.integers(after + 1)))
    computed = [i for i in range(len(draw.avals)) if i not in draw.inputs]
    outs = [i for i in sorted({*own, *computed[-4:]}) if draw.avals[i].size <= 8 * LARGEST]
    return Drawn(lambda *arrays: draw.run(arrays, outs), [draw.avals[i] for i in draw.inputs], " and ".join(names))


def base_point(rng, aval):
    """Draw values for one input."""
    if aval.dtype == np.bool_:
        return rng.random(aval.shape) < 0.5
    if aval.dtype == np.int32:
        return rng.integers(-2, 5, aval.shape).astype(np.int32)
    return rng.normal(0, 1.2, aval.shape).astype(np.float32)


def to_float(x):
    """Return any array as real numbers that show every change in it."""
    x = jnp.asarray(x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        return x.real + 0.7 * x.imag
    return x.astype(jnp.float32)
