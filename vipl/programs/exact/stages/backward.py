"""Running the stages backwards: a draw of all finite sites from their posterior.

Each variable is drawn from the table that it was summed out of, given those summed out after it. In a chain this is
backward sampling.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from vipl.programs.exact.stages.plan import Plan
from vipl.programs.exact.stages.stage import OUTSIDE, Stage
from vipl.programs.exact.tables.table import Table


def backward(plan: Plan, steps: list, draws, reverse: bool) -> dict:
    """Draw all finite sites from their posterior, by name.

    Args:
        plan: the stages.
        steps: of each stage, the steps of its elimination.
        draws: functions that draw the states of one variable each from logits, in the order of `plan.draws`; those of
            further steps are `(draw, noise)` with noise for each step.
        reverse: whether the scan runs backwards.
    """
    states: dict = {}
    values, paths, draws = {}, {}, iter(draws)
    for stage, done in zip(reversed(plan.stages), reversed(steps), strict=True):
        own = [next(draws) for _ in stage.order.variables]
        if stage is plan.step:
            states, new = _backward_steps(stage, done, own, states, reverse)
            for name, path in new.items():
                paths[name] = [path]
            continue
        in_scan = stage in plan.first
        states = _drawn(stage, done, [draw(noise) for draw, noise in own], _younger(states) if in_scan else states)
        for i in stage.new:
            (name, _), variable = stage.keys[i], stage.variables[i]
            if in_scan:
                paths.setdefault(name, []).append(states[name, 0][None])
            else:
                values[name] = variable.values(states[stage.keys[i]])
    for name, path in paths.items():
        stage = next(s for s in (plan.step, *plan.first) if s is not None)
        variable = stage.variables[stage.keys.index((name, 0))]
        values[name] = jax.vmap(variable.values)(jnp.concatenate(path if reverse else path[::-1]))
    return values


def _backward_steps(stage: Stage, done, own, states, reverse):
    outside = {key: state for key, state in states.items() if key[1] == OUTSIDE}
    inner = {key: state for key, state in states.items() if key[1] > 0}

    def body(inner, slices):
        arrays, noise = slices
        tables = [(i, Table(t.variables, t.plates, a)) for (i, t), a in zip(done, arrays, strict=True)]
        draw = [make(n) for (make, _), n in zip(own, noise, strict=True)]
        states = _drawn(stage, tables, draw, _younger(outside | inner))
        new = {stage.keys[i][0]: states[stage.keys[i]] for i in stage.new}
        return {key: states[key] for key in inner}, new

    xs = ([table.array for _, table in done], [noise for _, noise in own])
    inner, new = lax.scan(body, inner, xs, reverse=not reverse)
    return outside | inner, new


def _drawn(stage: Stage, done, draws, states) -> dict:
    """Return the states of all variables of a stage, by key, those summed out drawn, the last one first."""
    known = {stage.keys.index(key): state for key, state in states.items() if key in stage.keys}
    for draw, (i, table) in zip(draws, reversed(done), strict=True):
        logits = stage.conditional(i, table, known)
        known[i] = draw(jnp.where(jnp.isfinite(jnp.max(logits, -1, keepdims=True)), logits, 0.0))
    return states | {stage.keys[i]: state for i, state in known.items()}


def _younger(states) -> dict:
    """Return states by the keys that they had a step before."""
    return {(name, age if age == OUTSIDE else age - 1): state for (name, age), state in states.items() if age != 0}
