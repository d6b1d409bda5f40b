"""Whether what the pass claims of a program holds: change one element of an input, and see what moves."""

import dataclasses

import jax
import numpy as np
from provenance.drawing import base_point

from vipl.transform.provenance import JOINT, propagate
from vipl.transform.provenance.alignment import whole

NUM_POINTS = 2
NUM_CHANGES = 3
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}  # compiling is what takes time


@dataclasses.dataclass
class Report:
    """What was found in one program.

    Attributes:
        claims: how many axes of inputs were claimed to line up, or inputs not to matter at all.
        wrong: descriptions of results that moved where a claim forbids it.
        primitives: names of the primitives in it, whose operands depend on inputs or not.
    """

    claims: int
    wrong: list
    primitives: set


def check(program, rng) -> Report:
    """Compare every claim about a program with what its results do."""
    points = [base_point(rng, aval) for aval in program.inputs]
    jaxpr = jax.make_jaxpr(program.function)(*points)
    claims = propagate(jaxpr, [{i: whole(p.ndim)} for i, p in enumerate(points)])
    count = sum(
        sum(entry is not JOINT for entry in claim[i]) if i in claim else 1
        for claim in claims for i in range(len(points))
    )  # fmt: skip
    wrong = [
        message for claim, out in zip(claims, jaxpr.out_avals, strict=True) for message in malformed(claim, points, out)
    ]
    if count and not wrong:
        changes = [change for _ in range(NUM_POINTS) for change in changes_at(program, rng)]
        wrong = [message for change in evaluate(program, changes) for message in violations(claims, *change)]
    text = f"{program.name}: {'; '.join(sorted(set(wrong))[:5])}\n{jaxpr}"
    return Report(count, [text] if wrong else [], set(primitives(jaxpr)))


def malformed(claim, points, out):
    """Complain of an axis that is said to run along one of another size."""
    for i, alignment in claim.items():
        if len(alignment) != points[i].ndim:
            yield f"input {i} has {points[i].ndim} axes, not {len(alignment)}"
        for axis, entry in enumerate(alignment):
            if entry is not JOINT and out.shape[entry.axis : entry.axis + 1] != points[i].shape[axis : axis + 1]:
                yield f"axis {axis} of input {i} along {entry} of a result of shape {out.shape}"


def changes_at(program, rng):
    """Return, for each input, its index, the elements changed, and all inputs; the first change is none."""
    points = [base_point(rng, aval) for aval in program.inputs]
    for i, point in enumerate(points):
        elements = np.repeat(
            np.array(list(np.ndindex(point.shape)), int).reshape(point.size, point.ndim), NUM_CHANGES, axis=0
        )
        rows = np.repeat(point[None], len(elements) + 1, axis=0)
        scale = np.resize([0.3, 1.0, 4.0], len(elements))
        for row, (element, size) in enumerate(zip(map(tuple, elements), scale, strict=True), start=1):
            rows[(row, *element)] = changed(point[element], size, rng)
        others = [np.repeat(p[None], len(rows), axis=0) for p in points]
        others[i] = rows
        yield i, elements, others


def changed(value, size, rng):
    """Return another value for one element."""
    if value.dtype == np.bool_:
        return ~value
    if value.dtype == np.int32:
        return value + rng.choice([-2, -1, 1, 2, 3])
    return value + np.float32(size * rng.normal())


def evaluate(program, changes):
    """Run a program on all changes at once, one after the other in one loop; yields what moved."""
    counts = [len(inputs[0]) for _, _, inputs in changes]
    together = [np.concatenate(rows) for rows in zip(*(inputs for _, _, inputs in changes), strict=True)]
    run = jax.jit(lambda rows: jax.lax.map(lambda arrays: program.function(*arrays), rows), compiler_options=QUICK)
    outs = [np.asarray(out) for out in run(together)]
    start = 0
    for (i, elements, _), count in zip(changes, counts, strict=True):
        parts = [out[start : start + count] for out in outs]
        yield i, elements, [~same(part[1:], part[:1]) for part in parts]
        start += count


def same(one, other):
    """Compare element by element; NaN is the same as NaN."""
    return (one == other) | ((one != one) & (other != other))


def violations(claims, i, elements, moved):
    """Describe the results that moved though a claim about input `i` forbids it."""
    for result, (claim, what) in enumerate(zip(claims, moved, strict=True)):
        allowed = np.full(what.shape, i in claim)
        for axis, entry in enumerate(claim.get(i, ())):
            if entry is not JOINT:
                place = np.expand_dims(
                    np.arange(what.shape[1 + entry.axis]), tuple(range(1, what.ndim - 1 - entry.axis))
                )
                element = np.expand_dims(elements[:, axis], tuple(range(1, what.ndim)))
                allowed &= (place >= element) if entry.causal else (place == element)
        if (what & ~allowed).any():
            yield f"input {i} moves result {result} against {claim.get(i, 'no dependence')}"


def primitives(jaxpr):
    """Name every primitive of a jaxpr, at any depth."""
    for eqn in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        yield eqn.primitive.name
        for parameter in eqn.params.values():
            for inner in parameter if isinstance(parameter, tuple) else (parameter,):
                if hasattr(inner, "eqns"):
                    yield from primitives(inner)
