"""A short loop around a choice that does not fit inside it, written out: every step a choice of its own.

Where a choice of several values changes what the next step does with the values before it, the values multiply from
step to step. For few steps that is what an exact answer costs.
"""

from __future__ import annotations

import jax.numpy as jnp

from vipl._core.compat import open_jaxpr, scan_split
from vipl._core.constructs import CONSTRUCTS, with_types
from vipl._core.staging import Staged
from vipl.transform.rewriting.restaging import Restaging

_MOST_STEPS, _MOST_COMBINATIONS = 16, 4096


def unrolled(plan, choice) -> Staged | None:
    """Return the objective with the innermost scan or vmap around a choice written out; None if it is none, or long."""
    around, loop = _around(plan.staged.jaxpr, choice)
    if loop is None:
        return None
    length = loop.params["length" if loop.primitive.name == "scan" else "size"]
    values = plan.sample_sizes.get(choice, 2)
    if length > _MOST_STEPS or values**length > _MOST_COMBINATIONS:
        return None
    return _Unrolling({id(eqn) for eqn in around}, loop).restage(plan.staged)


def _around(jaxpr, path):
    """Return the equations around the statement at a path, and the innermost scan or vmap among them."""
    around, loop = [], None
    while len(path) > 1:
        index, step, *rest = path
        eqn = open_jaxpr(jaxpr)[0].eqns[index]
        around.append(eqn)
        loop = eqn if eqn.primitive.name in ("scan", "vipl_vmap") else loop
        jaxpr = next(body for at, body, _ in CONSTRUCTS[eqn.primitive.name].bodies(eqn, (), {}) if at == step)
        path = tuple(rest)
    return around, loop


class _Unrolling(Restaging):
    """Stages a jaxpr anew, with one loop written out."""

    def __init__(self, changed, loop):
        super().__init__(changed)
        self.loop = loop

    def equation(self, eqn, values) -> list:
        """Run an equation that is or holds the loop."""
        if eqn is not self.loop:
            return super().equation(eqn, values)
        return self._steps(eqn, values) if eqn.primitive.name == "scan" else self._lanes(eqn, values)

    def _steps(self, eqn, values) -> list:
        params = eqn.params
        num_consts, num_carry = scan_split(params)
        consts, xs = values[:num_consts], values[num_consts + num_carry :]
        carry = with_types(values[num_consts : num_consts + num_carry], params["jaxpr"].in_avals[num_consts:])
        steps = range(params["length"])
        ys = []
        for step in reversed(steps) if params["reverse"] else steps:
            results, _ = self(params["jaxpr"], [*consts, *carry, *(x[step] for x in xs)], {}, ())
            carry = results[:num_carry]
            ys.append(results[num_carry:])
        return [*carry, *_stacked(ys[::-1] if params["reverse"] else ys)]

    def _lanes(self, eqn, values) -> list:
        axes = eqn.params["in_axes"]
        lanes = []
        for lane in range(eqn.params["size"]):
            operands = [x if axis is None else x[lane] for x, axis in zip(values, axes, strict=True)]
            lanes.append(self(eqn.params["jaxpr"], operands, {}, ())[0])
        return _stacked(lanes)


def _stacked(rows) -> list:
    return [jnp.stack(column) for column in zip(*rows, strict=True)]
