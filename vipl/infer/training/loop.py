"""The training loop: steps of stochastic gradient ascent, in chunks, compiled once.

A chunk runs a number of steps that is only known at run time, so one compilation serves every chunk, every
`num_steps`, and every later fit of the same shapes. It ends early at a step that is not finite, which is not made.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.static import StaticValue
from vipl.infer.training.lazy import Rows
from vipl.infer.training.tally import Tally, count_in

CAPACITY = 4096
_OF_DATA = 2**32 - 1  # no step has this number


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
        rows: which params have rows, of which a step touches those of a subsample alone; None to touch all.
    """

    objective: Any
    optimizer: StaticValue
    skip: bool = False
    rows: Rows | None = None


@functools.partial(jax.jit, static_argnames="optimizer")
def start(params, *, optimizer: StaticValue):
    """Return the optimiser's state before the first step."""
    return optimizer.value.init(params)


@functools.partial(jax.jit, static_argnames="rules", donate_argnames="state")
def advance(problem, state: TrainingState, key, count, batch=None, rate=None, *, rules: Rules):
    """Run up to `count` steps (at most `CAPACITY`).

    Args:
        problem: the Problem.
        state: where to start; its memory is used for the state after.
        key: the key of the whole fit; each step folds in its number.
        count: how many steps.
        batch: the batch of the one step, where an iterator makes the batches.
        rate: what the updates are multiplied by, or None.
        rules: how a step is made.

    Returns:
        The state after, the objective at each step in an array of `CAPACITY`, how many steps were made, and whether
        the last one tried was finite. Unless `skip`, the first that is not ends it, and is neither made nor counted;
        the objective at it stands after those of the steps that were.
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
    done, state, history, finite = lax.while_loop(go_on, run, carry)
    return state, history, done, finite


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


def _step(problem, state: TrainingState, key, batch, rate, rules: Rules):
    """Return the state after one step, the objective at it, and whether all was finite; if not, it is not made."""
    problem = dataclasses.replace(problem, frame=state.frame)
    batch = batch_of(problem, key, state.step, batch)
    key_step = jax.random.fold_in(key, state.step)
    if rules.rows is not None:
        return _step_of_rows(problem, state, key_step, batch, rules, rules.rows)
    loss = lambda params: -rules.objective(key_step, *problem.programs(params, batch))  # noqa: E731
    updated, value, finite = _update(loss, (state.params, state.optimizer), rate, rules)
    tally = None if state.tally is None else _chosen(finite, count_in(state.tally, updated[0]), state.tally)
    step = state.step + (1 if rules.skip else finite.astype(state.step.dtype))
    return TrainingState(updated[0], updated[1], step, state.frame, tally), -value, finite


def _step_of_rows(problem, state: TrainingState, key, batch, rules: Rules, rows: Rows):
    """Make a step that touches the rows of a subsample alone."""
    key_rows, key_step = jax.random.split(key)
    indices, optimizer = rows.draw(key_rows), rules.optimizer.value
    programs = rows.of_problem(problem, indices)
    loss = lambda params: -rules.objective(key_step, *programs(params, batch))  # noqa: E731
    few = rows.take(state.params, indices), rows.take_state(optimizer, state.optimizer, state.params, indices)
    updated, value, finite = _update(loss, few, None, rules)
    params = rows.put(state.params, updated[0], indices)
    optimizer_state = rows.put_state(optimizer, state.optimizer, updated[1], state.params, indices)
    step = state.step + (1 if rules.skip else finite.astype(state.step.dtype))
    return TrainingState(params, optimizer_state, step, state.frame), -value, finite


def _update(loss, before, rate, rules: Rules):
    """Return parameters and optimiser's state after a step, the loss before it, and whether all was finite."""
    import optax  # takes as long to import as all of vipl, and only a fit needs it

    params, optimizer_state = before
    value, gradient = jax.value_and_grad(loss)(params)
    optimizer = optax.with_extra_args_support(rules.optimizer.value)
    updates, optimizer_state = optimizer.update(
        gradient, optimizer_state, params, value=value, grad=gradient, value_fn=loss
    )
    if rate is not None:
        updates = jax.tree.map(lambda update: rate.astype(update.dtype) * update, updates)
    finite = jnp.isfinite(value)
    for leaf in jax.tree.leaves(gradient):
        finite &= jnp.all(jnp.isfinite(leaf))
    return _chosen(finite, (optax.apply_updates(params, updates), optimizer_state), before), value, finite


def _chosen(finite, after, before):
    """Return what is after a step if that was finite, else what was before: no more memory is read for it."""
    return jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, before)
