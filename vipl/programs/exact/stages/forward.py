"""Running the stages of a program forwards: its log evidence. In a chain this is the forward algorithm."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.compat import Literal
from vipl._core.estimated_density import Body
from vipl.programs.exact.stages.plan import Plan
from vipl.programs.exact.stages.stage import Stage
from vipl.programs.exact.tables.table import Table
from vipl.programs.particle import Particle
from vipl.programs.segments import Segments


@dataclasses.dataclass(frozen=True)
class Forward:
    """What the stages leave behind.

    Attributes:
        log_evidence: a scalar.
        steps: of each stage, the steps of its elimination; those of each further step of a scan are stacked.
    """

    log_evidence: jax.Array
    steps: list


def forward(plan: Plan, body: Body, handler, kept: dict, given: dict, record: bool) -> Forward:
    """Sum the finite sites out.

    Args:
        plan: the stages.
        body: the program.
        handler: the handler of the walk around.
        kept: values of the other sites, by name.
        given: what the walk around is given.
        record: whether a draw follows.
    """
    walker = Particle(handler, frozenset(body.names), frozenset(body.names))
    fixed = given | {s.path: kept[name] for name, group in body.sites.items() if name in kept for s in group}
    if plan.tail is None:
        _, _, total, steps = plan.head.run(body, walker, list(body.consts), [], fixed)
        return Forward(total, [steps])
    segments = Segments(body, plan.position)
    known = dict(zip(body.jaxpr.jaxpr.invars, body.consts, strict=True))
    shared, _ = segments.shared.run([known[v] for v in segments.shared.reads], walker, fixed)
    known |= dict(zip(segments.shared.hands_on, shared, strict=True))
    outputs, messages, total, steps = plan.head.run(body, walker, [known[v] for v in segments.before.reads], [], fixed)
    known |= dict(zip(segments.before.hands_on, outputs, strict=True))
    records = [steps]
    inside = {p: g for p, g in fixed.items() if p[: len(segments.scan_path)] == segments.scan_path}
    scan = _Scan(plan, body, walker, segments, known, inside)
    state, messages, total, more = scan.run(messages, total, record)
    final = dict(zip(segments.scan.outvars, [*state, *scan.stacked], strict=True))
    inputs = [final[v] if v in final else known[v] for v in segments.after.reads]
    _, _, settled, steps = plan.tail.run(body, walker, inputs, messages, fixed)
    return Forward(total + settled, [*records, *more, steps])


class _Scan:
    """The scan of a chain."""

    def __init__(self, plan: Plan, body, walker, segments, known, inside):
        self.plan, self.body, self.walker, self.inside = plan, body, walker, inside
        params = segments.scan.params
        self.length, self.reverse, avals = params["length"], params["reverse"], params["jaxpr"].in_avals
        num_consts, self.num_carry = segments.split
        values = [a.val if isinstance(a, Literal) else known[a] for a in segments.scan.invars]
        values = [jnp.asarray(x, aval.dtype) for x, aval in zip(values, avals, strict=True)]
        self.fixed, self.state = values[:num_consts], values[num_consts : num_consts + self.num_carry]
        stage = next(s for s in (*plan.first, plan.step) if s is not None) if self.length else None
        handed = stage.inputs[num_consts + self.num_carry :] if stage else ()
        xs = values[num_consts + self.num_carry :] if stage else []
        self.xs = [jnp.moveaxis(x, len(h.keys), 0) for x, h in zip(xs, handed, strict=True)]  # steps in front
        self.needed = [v in segments.after.reads for v in segments.scan.outvars[self.num_carry :]]
        self.stacked = [jnp.zeros(v.aval.shape, v.aval.dtype) for v in segments.scan.outvars[self.num_carry :]]

    def run(self, messages, total, record):
        """Run it; returns the carry, the messages, the log weight that is settled, and the steps of each stage."""
        state, records, ys = self.state, [], []
        for k, stage in enumerate(self.plan.first):
            t = self.length - 1 - k if self.reverse else k
            xs, inside = jax.tree.map(lambda leaf, t=t: leaf[t], (self.xs, self.inside))
            state, messages, settled, steps, stacked = self._step(stage, state, messages, xs, inside)
            total, records = total + settled, [*records, steps]
            ys.append([y[None] for y in stacked])
        if self.plan.step is not None:
            count = len(self.plan.first)
            rest = slice(0, self.length - count) if self.reverse else slice(count, None)
            static: list = []

            def body(carry, slices, further=self.plan.step):
                state, messages, total = carry
                state, messages, settled, steps, stacked = self._step(further, state, messages, *slices)
                static[:] = [(i, table.variables, table.plates) for i, table in steps]
                arrays = [table.array for _, table in steps] if record else []
                return (state, messages, total + settled), (arrays, stacked)

            (state, messages, total), (arrays, stacked) = lax.scan(
                body,
                (state, messages, jnp.asarray(total)),
                jax.tree.map(lambda leaf: leaf[rest], (self.xs, self.inside)),
                length=self.length - count,
                reverse=self.reverse,
            )
            records.append([(i, Table(v, p, a)) for (i, v, p), a in zip(static, arrays, strict=record)])
            ys.append(stacked)
        self._stack(ys)
        return state, messages, total, records

    def _step(self, stage: Stage, state, messages, xs, inside):
        outputs, messages, settled, steps = stage.run(
            self.body, self.walker, [*self.fixed, *state, *xs], messages, inside
        )
        stacked = [y for y, needed in zip(outputs[self.num_carry :], self.needed, strict=True) if needed]
        return outputs[: self.num_carry], messages, settled, steps, stacked

    def _stack(self, ys):
        parts = iter([jnp.concatenate(list(reversed(y) if self.reverse else y)) for y in zip(*ys, strict=True)])
        if ys:
            self.stacked = [next(parts) if need else zero for need, zero in zip(self.needed, self.stacked, strict=True)]
