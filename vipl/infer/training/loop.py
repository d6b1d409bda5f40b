"""The training loop: steps of stochastic gradient ascent, in chunks, compiled once.

A chunk runs a number of steps that is only known at run time, so one compilation serves every chunk, every
`num_steps`, and every later fit of the same shapes. It ends early at a step that is not finite, which is not made.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.brief import brief_jit
from vipl._core.keys import numbered, stream
from vipl._core.static import StaticValue
from vipl.infer.training.lazy import Rows
from vipl.infer.training.tally import Tally, count_in
from vipl.tracing.noise import FREE_STREAM, in_a_fit

CAPACITY = 4096
_OF_DATA = 2**32 - 1  # folded into the key of the fit, as no start of a run is


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainingState:
    """What the next step needs, of one run.

    Attributes:
        params: the parameters.
        optimizer: the optimiser's state.
        step: the number of steps done.
        frame: the coordinates of a guide that is made by a family, or None.
        tally: what is kept of the parameters on their way, or None.
    """

    params: Any
    optimizer: Any
    step: Any
    frame: Any = None
    tally: Tally | None = None


@dataclasses.dataclass(frozen=True)
class Rules:
    """How a step is made; static.

    Attributes:
        objective: the Expectation to maximise.
        optimizer: an optax optimiser.
        skip: leave out updates that are not finite, instead of ending at them.
        rows: which params have rows, of which a step looks at those of a subsample alone; None where there are none.
        lazy: touch no others.
        guarded: leave the state as it was at a step that is not finite. Where that is not so, `advance` hands the state
            before the chunk back too, to go on from there up to such a step: a branch in every step takes longer.
    """

    objective: Any
    optimizer: StaticValue
    skip: bool = False
    rows: Rows | None = None
    lazy: bool = False
    guarded: bool = True


@functools.partial(brief_jit, static_argnames="optimizer")
def start(params, *, optimizer: StaticValue):
    """Return the optimiser's state before the first step."""
    return optimizer.value.init(params)


@functools.partial(jax.jit, static_argnames="rules", donate_argnames="state")
def advance(problem, state: TrainingState, key, count, batch=None, rate=None, *, rules: Rules):
    """Run up to `count` steps (at most `CAPACITY`).

    Args:
        problem: the Problem.
        state: where to start; its memory is used for the state after.
        key: the key of the whole fit; each step has its own, by its number.
        count: how many steps.
        batch: the batch of the one step, where an iterator makes the batches.
        rate: what the updates are multiplied by, or None.
        rules: how a step is made.

    Returns:
        The state after, that before unless `guarded`, the objective at each step in an array of `CAPACITY`, how many
        steps were made, and whether the last one tried was finite. Unless `skip`, the first that is not ends it, and
        is not counted; it is not made if `guarded`, else the state after is of no use. The objective at it stands after
        those of the steps that were.
    """

    def go_on(carry):
        done, _, _, finite = carry
        return (done < count) & (finite | rules.skip)

    def run(carry):
        done, state, history, _ = carry
        state, value, finite = _step(problem, state, key, batch, rate, rules)
        if rules.skip:
            value = jnp.where(finite, value, jnp.nan)
        history = history.at[done].set(value.astype(history.dtype))
        return jnp.where(finite | rules.skip, done + 1, done), state, history, finite

    carry = (jnp.int32(0), state, jnp.zeros(CAPACITY), jnp.array(True))
    done, after, history, finite = lax.while_loop(go_on, run, carry)
    return after, None if rules.guarded else state, history, done, finite


@functools.partial(jax.jit, static_argnames="rules", donate_argnames="state")
def advance_lanes(problem, state, keys, count, batch=None, rate=None, *, rules: Rules):
    """Run several runs side by side, each as `advance` does; states, keys and results have them in front."""

    def one(state, key):
        return advance(problem, state, key, count, batch, rate, rules=rules)

    return jax.vmap(one)(state, keys)


def batch_of(problem, key, step, batch):
    """Return the batch of a step: of the arrays of data, if there are any, else what an iterator made."""
    data = problem.data
    if data is None or data.arrays is None:
        return batch
    return data.batch(jax.random.fold_in(key, _OF_DATA), step)


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """What a step looks at.

    Attributes:
        key: of its draws.
        params: the parameters; where these have rows, the rows of the step's subsample alone.
        programs: function of such parameters that returns model and guide.
        indices: of the rows, by plate.
    """

    key: Any
    params: Any
    programs: Callable
    indices: dict


def looked_at(problem, params, key, batch, rules: Rules) -> LookedAt:
    """Return what a step looks at.

    Args:
        problem: the Problem, with the frame of the state.
        params: all parameters.
        key: of the step.
        batch: of the step.
        rules: how it is made.
    """
    rows = rules.rows
    if rows is None:
        return LookedAt(key, params, lambda params: problem.programs(params, batch), {})
    indices = rows.draw(stream(key, FREE_STREAM))
    programs = rows.of_problem(problem, indices)
    return LookedAt(key, rows.take(params, indices), lambda few: programs(few, batch), indices)


def _step(problem, state: TrainingState, key, batch, rate, rules: Rules):
    """Return the state after one step, the objective at it, and whether all was finite."""
    problem = dataclasses.replace(problem, frame=state.frame)
    batch = batch_of(problem, key, state.step, batch)
    seen = looked_at(problem, state.params, numbered(key, state.step), batch, rules)

    def loss(params):
        with in_a_fit():
            return -rules.objective(seen.key, *seen.programs(params))

    value, gradient = jax.value_and_grad(loss)(seen.params)
    if rules.rows is not None:  # else XLA makes the few rows anew within the pass over all of them: 5 % of a step
        value, gradient = lax.optimization_barrier((value, gradient))
    finite = all_finite((value, gradient))
    if rules.lazy:
        update = functools.partial(_updated, rules, loss, value, gradient, rate)
        return _made_of_rows(state, update, finite, rules, seen), -value, finite
    loss, gradient = _of_all(loss, gradient, state.params, rules.rows, seen.indices)
    update = functools.partial(_updated, rules, loss, value, gradient, rate)
    return _made(state, update, finite, rules), -value, finite


def all_finite(tree):
    """Return whether all numbers are finite: zero times each is zero, and XLA adds faster than it asks.

    Leaves of one shape are added up first; for a thousand numbers a sum costs more than what is summed.
    """
    zeros: dict = {}
    for leaf in map(jnp.asarray, jax.tree.leaves(tree)):
        if jnp.issubdtype(leaf.dtype, jnp.inexact):
            kind = leaf.shape, leaf.dtype
            zeros[kind] = zeros.get(kind, 0.0) + 0.0 * leaf
    return functools.reduce(jnp.logical_and, [jnp.sum(zero) == 0 for zero in zeros.values()], jnp.array(True))


def _of_all(loss, gradient, params, rows: Rows | None, indices):
    """Return loss and gradient as functions of all params, given those of the rows that are looked at."""
    if rows is None:
        return loss, gradient
    return (
        lambda params: loss(rows.take(params, indices)),
        rows.put(jax.tree.map(jnp.zeros_like, params), gradient, indices),
    )


def _made(state: TrainingState, update, finite, rules: Rules) -> TrainingState:
    """Return the state after a step; if that was not finite, the state before, if `guarded`.

    By a branch: to choose number by number takes copies of all that was before.
    """

    def after(before):
        params, optimizer_state = update(before.params, before.optimizer)
        tally = None if before.tally is None else count_in(before.tally, params)
        return TrainingState(params, optimizer_state, before.step + 1, before.frame, tally)

    def left(before):
        return dataclasses.replace(before, step=before.step + 1) if rules.skip else before

    return lax.cond(finite, after, left, state) if rules.guarded else after(state)


def _made_of_rows(state: TrainingState, update, finite, rules: Rules, seen: LookedAt) -> TrainingState:
    """Return the same after a step that touches no rows but those that it looks at."""
    rows, optimizer = rules.rows, rules.optimizer.value
    assert rows is not None, "a lazy optimiser has rows"
    before = seen.params, rows.take_state(optimizer, state.optimizer, state.params, seen.indices)
    few, few_of_state = jax.tree.map(functools.partial(jnp.where, finite), update(*before), before)
    params = rows.put(state.params, few, seen.indices)
    optimizer_state = rows.put_state(optimizer, state.optimizer, few_of_state, state.params, seen.indices)
    step = state.step + (1 if rules.skip else finite.astype(state.step.dtype))
    return TrainingState(params, optimizer_state, step, state.frame)


def _updated(rules: Rules, loss, value, gradient, rate, params, optimizer_state):
    """Return parameters and optimiser's state after a step."""
    import optax  # takes as long to import as all of vipl, and only a fit needs it

    optimizer = optax.with_extra_args_support(rules.optimizer.value)
    updates, optimizer_state = optimizer.update(
        gradient, optimizer_state, params, value=value, grad=gradient, value_fn=loss
    )
    if rate is not None:
        updates = jax.tree.map(lambda update: rate.astype(update.dtype) * update, updates)
    return optax.apply_updates(params, updates), optimizer_state
