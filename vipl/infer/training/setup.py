"""The beginning of a fit: the problem, the optimiser, where each run starts."""

from __future__ import annotations

import dataclasses
import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from vipl._core.static import StaticValue
from vipl.guides import GuideFamily
from vipl.guides.start.find import find_frame
from vipl.infer.problem.data import data_of
from vipl.infer.problem.pose import pose
from vipl.infer.problem.problem import Problem
from vipl.infer.training import loop
from vipl.infer.training.lazy import LazyRows, rows_of
from vipl.infer.training.loop import Rules, TrainingState
from vipl.infer.training.plan import Plan, rates_of
from vipl.infer.training.run import Run
from vipl.infer.training.tally import Tally, fresh
from vipl.lang.program import Program
from vipl.tracing.parameters import init_params
from vipl.tracing.survey import survey

# Bytes of a state for which to make a chunk again is quicker than to look in each step, as measured on two cores.
_UNGUARDED = (2**16, 2**22)
_RADIUS = 2.0  # how far from where they would start otherwise, further runs start, in unconstrained coordinates


def begin(model, guide, *, key, objective, optimizer, num_steps, num_samples, params, data, batch_size, lanes, skip):
    """Return the Run that `vipl.infer` makes, before its first step: `lanes` side by side, or None for one alone."""
    import optax

    data, batches = data_of(data, batch_size)
    # A copy looks anew at what the objective's function reads, so that a redefined helper is compiled again.
    objective = objective.with_num_samples(objective.num_samples if num_samples == 1 else num_samples)
    rules = Rules(objective, StaticValue(optax.adam(1.0) if optimizer is None else optimizer), skip)
    planned, lazy = optimizer is None, isinstance(optimizer, LazyRows)
    if isinstance(optimizer, LazyRows):
        rules = dataclasses.replace(rules, optimizer=StaticValue(optimizer.optimizer))
    start = functools.partial(_start, model, guide, params, data=data, rules=rules, planned=planned)
    if lanes is None:
        problem, state = start(key)
    else:
        key = jax.random.split(key, lanes)
        problem, state = _start_lanes(start, key)
    guarded = skip or lazy or lanes is not None or batches is not None
    guarded = guarded or not _UNGUARDED[0] <= _num_bytes(state) <= _UNGUARDED[1]
    rules = dataclasses.replace(rules, rows=rows_of(problem, required=lazy), lazy=lazy, guarded=guarded)
    plan = Plan(num_steps, rates_of(num_steps, problem.frame)) if planned and num_steps else None
    return Run(problem, rules, key, state, num_steps, plan, batches, lanes)


def _num_bytes(tree) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree) if hasattr(leaf, "nbytes"))


def _start_lanes(start, keys) -> tuple[Problem, TrainingState]:
    """Return the problem, and the states of several runs, one for each key, with the runs in front."""
    starts = [start(key, astray=lane > 0) for lane, key in enumerate(keys)]
    frame = next((problem.frame for problem, _ in starts if problem.frame is not None), None)
    if frame is not None:  # a run that has found none itself takes that of another
        starts = [
            one if one[0].frame is not None else start(key, frame=frame) for one, key in zip(starts, keys, strict=True)
        ]
    states = [state for _, state in starts]
    return starts[0][0], jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *states)


def _start(model, guide, params, key, *, data, rules, planned, astray=False, frame=None):
    """Return the problem and the state before the first step of one run.

    Args:
        model: as `vipl.infer` takes it.
        guide: likewise.
        params: likewise.
        key: the key of the run.
        data: the data, if there are any besides those of the model.
        rules: how a step is made.
        planned: whether by vipl's own optimiser.
        astray: whether to start at a random point, where no frame is found that is found at random itself.
        frame: the frame to train in; default: one that is looked for, by vipl's own optimiser.
    """
    frame_of = None
    if planned:
        frame_of = lambda surveyed, family: _frame(surveyed, family, key) if frame is None else frame  # noqa: E731
    made = isinstance(params, types.FunctionType)
    problem, params = pose(model, guide, params(key) if made else params, key, data, frame_of)
    if astray and problem.frame is None and isinstance(guide, GuideFamily):
        params = _moved(params, problem.guide_params, key)
    params = jax.tree.map(jnp.asarray, params)
    state = TrainingState(
        params,
        loop.start(params, optimizer=rules.optimizer),
        np.int32(0),
        problem.frame,
        Tally.of(params) if planned else None,
    )
    return problem, _placed(state, problem)


def _placed(state: TrainingState, problem: Problem) -> TrainingState:
    """Return a copy of a state, whose memory the steps use, where the arrays of the problem are.

    After a step it is there in any case, and if it was elsewhere before, the next step is compiled once more.
    """
    place = next((leaf.sharding for leaf in jax.tree.leaves(problem) if getattr(leaf, "committed", False)), None)
    if isinstance(place, NamedSharding):
        place = NamedSharding(place.mesh, PartitionSpec())

    def copy(leaf):
        leaf = fresh(leaf)
        return leaf if place is None or getattr(leaf, "committed", False) else jax.device_put(leaf, place)

    return jax.tree.map(copy, state)


def _frame(surveyed, family: GuideFamily, key):
    if family.frame is None:
        return None
    model: Program = surveyed.program
    if surveyed.params:
        model = model.replace(params=(model.params or {}) | init_params(key, model))
        surveyed = survey(model)
    return find_frame(surveyed, model, family.latents(surveyed), family.frame, key)


def _moved(params, names, key) -> dict:
    """Return params with the locations of the guide at random points."""
    moved = dict(params)
    for position, name in enumerate(names):
        if name.endswith(".loc"):
            value = jnp.asarray(params[name])
            own = jax.random.fold_in(key, position)
            moved[name] = value + jax.random.uniform(own, value.shape, value.dtype, -_RADIUS, _RADIUS)
    return moved
