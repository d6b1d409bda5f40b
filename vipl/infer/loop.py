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

CAPACITY = 4096


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainingState:
    """What the next step needs: parameters, the optimiser's state, and the number of steps done."""

    params: object
    optimizer: object
    step: jax.Array


@functools.partial(jax.jit, static_argnames="optimizer")
def start(params, *, optimizer: StaticValue) -> TrainingState:
    """Return the state before the first step."""
    return TrainingState(params, optimizer.value.init(params), jnp.int32(0))


@functools.partial(jax.jit, static_argnames=("objective", "optimizer", "skip"))
def advance(problem, state: TrainingState, key, count, *, objective, optimizer: StaticValue, skip: bool):
    """Run up to `count` steps (at most `CAPACITY`).

    Args:
        problem: the Problem.
        state: where to start.
        key: the key of the whole fit; each step folds in its number.
        count: how many steps.
        objective: the Expectation to maximise.
        optimizer: an optax optimiser.
        skip: leave out updates that are not finite, instead of ending at them.

    Returns:
        The state after, the objective at each step in an array of `CAPACITY`, and how many steps were run.
        Unless `skip`, a last step that is not finite has been counted, and applied.
    """
    import optax  # takes as long to import as all of vipl, and only a fit needs it

    def loss(params, key):
        return -objective(key, *problem.programs(params))

    def step(carry):
        done, state, history, _ = carry
        value, gradient = jax.value_and_grad(loss)(state.params, jax.random.fold_in(key, state.step))
        updates, optimizer_state = optimizer.value.update(gradient, state.optimizer, state.params)
        after = TrainingState(optax.apply_updates(state.params, updates), optimizer_state, state.step + 1)
        finite = jnp.isfinite(value)
        if skip:
            finite &= jnp.isfinite(optax.global_norm(gradient))
            kept = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, state)
            after = TrainingState(kept.params, kept.optimizer, after.step)
        return done + 1, after, history.at[done].set(-value), finite

    def go_on(carry):
        done, _, _, finite = carry
        return (done < count) & (finite | skip)

    value_dtype = jax.eval_shape(loss, state.params, key).dtype
    carry = (jnp.int32(0), state, jnp.zeros(CAPACITY, value_dtype), jnp.array(True))
    done, state, history, finite = lax.while_loop(go_on, step, carry)
    return state, history, done, finite
