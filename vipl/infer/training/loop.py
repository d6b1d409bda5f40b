"""The training loop: steps of stochastic gradient ascent, in chunks, compiled once.

A chunk runs a number of steps that is only known at run time, so one compilation serves every chunk, every
`num_steps`, and every later fit of the same shapes. It ends early at a step that is not finite; running the
same chunk again up to that step recovers the state before it.
"""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.static import StaticValue
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

    params: object
    optimizer: object
    step: jax.Array
    frame: object = None
    tally: Tally | None = None


@dataclasses.dataclass(frozen=True)
class Rules:
    """How a step is made; static.

    Attributes:
        objective: the Expectation to maximise.
        optimizer: an optax optimiser.
        skip: leave out updates that are not finite, instead of ending at them.
    """

    objective: object
    optimizer: StaticValue
    skip: bool = False


@functools.partial(jax.jit, static_argnames="optimizer")
def start(params, *, optimizer: StaticValue):
    """Return the optimiser's state before the first step."""
    return optimizer.value.init(params)


@functools.partial(jax.jit, static_argnames="rules")
def advance(problem, state: TrainingState, key, count, batch=None, rate=None, *, rules: Rules):
    """Run up to `count` steps (at most `CAPACITY`).

    Args:
        problem: the Problem.
        state: where to start.
        key: the key of the whole fit; each step folds in its number.
        count: how many steps.
        batch: the batch of the one step, where an iterator makes the batches.
        rate: what the updates are multiplied by, or None.
        rules: how a step is made.

    Returns:
        The state after, the objective at each step in an array of `CAPACITY`, and how many steps were run.
        Unless `skip`, a last step that is not finite has been counted, and applied.
    """

    def go_on(carry):
        done, _, _, finite = carry
        return (done < count) & (finite | rules.skip)

    def run(carry):
        done, state, history, _ = carry
        state, value, finite = _step(problem, state, key, batch, rate, rules)
        return done + 1, state, history.at[done].set(value.astype(history.dtype)), finite

    carry = (jnp.int32(0), state, jnp.zeros(CAPACITY), jnp.array(True))
    done, state, history, finite = lax.while_loop(go_on, run, carry)
    return state, history, done, finite


def _step(problem, state: TrainingState, key, batch, rate, rules: Rules):
    """Return the state after one step, the objective at it, and whether all was finite."""
    import optax  # takes as long to import as all of vipl, and only a fit needs it

    problem = dataclasses.replace(problem, frame=state.frame)
    data = problem.data
    if data is not None and data.arrays is not None:
        batch = data.batch(jax.random.fold_in(key, _OF_DATA), state.step)
    key_step = jax.random.fold_in(key, state.step)

    def loss(params):
        return -rules.objective(key_step, *problem.programs(params, batch))

    value, gradient = jax.value_and_grad(loss)(state.params)
    optimizer = optax.with_extra_args_support(rules.optimizer.value)
    updates, optimizer_state = optimizer.update(
        gradient, state.optimizer, state.params, value=value, grad=gradient, value_fn=loss
    )
    if rate is not None:
        updates = jax.tree.map(lambda update: rate.astype(update.dtype) * update, updates)
    params = optax.apply_updates(state.params, updates)
    tally = None if state.tally is None else count_in(state.tally, params)
    after = TrainingState(params, optimizer_state, state.step + 1, state.frame, tally)
    finite = jnp.isfinite(value)
    if rules.skip:
        finite &= jnp.isfinite(optax.global_norm(gradient))
        kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state)
        after = dataclasses.replace(kept, step=after.step)
    return after, -value, finite


@functools.partial(jax.jit, static_argnames="rules")
def advance_lanes(problem, state, keys, count, batch=None, rate=None, *, rules: Rules):
    """Run several runs side by side, each as `advance` does; states, keys and results have them in front."""

    def one(state, key):
        return advance(problem, state, key, count, batch, rate, rules=rules)

    return jax.vmap(one)(state, keys)
