"""A fit under way: chunks of compiled steps, and what is decided in between them."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from vipl._core.hosts import gathered
from vipl._core.keys import numbered
from vipl.infer.problem.data import Batches
from vipl.infer.problem.problem import Problem
from vipl.infer.training import loop
from vipl.infer.training.convergence import Window
from vipl.infer.training.loop import LookedAt, Rules, TrainingState
from vipl.infer.training.plan import Plan


@dataclasses.dataclass
class Run:
    """A fit under way.

    Attributes:
        problem: what is fitted.
        rules: how a step is made.
        key: the key of the fit.
        state: where it is; with lanes, every array has them in front.
        num_steps: how many steps it shall have.
        plan: of vipl's own optimiser, or None.
        batches: what an iterator makes, or None.
        lanes: number of runs side by side, or None for one alone.
        history: the objective at each step, in pieces, `(steps,)` or `(steps, lanes)`.
    """

    problem: Problem
    rules: Rules
    key: Any
    state: TrainingState
    num_steps: int
    plan: Plan | None = None
    batches: Batches | None = None
    lanes: int | None = None
    step: int = 0
    history: list = dataclasses.field(default_factory=list)

    def longest_chunk(self) -> int:
        """Return how many steps may be made at once."""
        if self.batches is not None:
            return min(1, self.num_steps - self.step)
        end = self.num_steps if self.plan is None else self.plan.boundary(self.step)
        return min(end - self.step, loop.CAPACITY)

    def advance(self, count: int) -> Chunk:
        """Make some steps, up to one that is not finite, if that is the end."""
        values, done, finite = self._steps(count)
        before = self.step
        made = int(done.max())
        inside = np.arange(values.shape[-1]) < done[..., None]
        self.history.append(np.where(inside, values, np.nan)[..., :made].T)
        self.step += made
        if not (self.rules.skip or np.any(finite)):
            return Chunk(made, self._broken(values, done))
        if self.batches is not None:
            self.batches.take()
        if self.plan is not None and self.step == self.plan.boundary(before):
            self._look()
        return Chunk(made)

    def _steps(self, count) -> tuple:
        """Make some steps; returns the objectives, how many were made, and whether the last one tried was finite."""
        batch = None if self.batches is None else self.batches.look()
        rate = None if self.plan is None else np.float32(self.plan.rate())
        advance = loop.advance if self.lanes is None else loop.advance_lanes

        def steps(state, count):
            state, before, *found = advance(
                self.problem, state, self.key, np.int32(count), batch, rate, rules=self.rules
            )
            return state, before, *map(np.asarray, found)

        self.state, before, values, done, finite = steps(self.state, count)
        fine = self.rules.guarded or finite
        while not fine:  # once, where a step has the same bits each time
            self.state, before, again, made, fine = steps(before, done)
            values, done = (values, done) if fine else (again, made)
        return values, done, finite

    def _broken(self, values, done) -> Broken:
        """Return the step at which all runs broke off, of that run that came furthest."""
        state, key = self.state, self.key
        if self.lanes is not None:
            lane = int(np.argmax(done))
            state, key, values, done = one_lane(state, lane), key[lane], values[lane], done[lane]
        step = int(np.asarray(state.step))
        batch = loop.batch_of(self.problem, key, step, None if self.batches is None else self.batches.look())
        problem = dataclasses.replace(self.problem, frame=state.frame)
        seen = loop.looked_at(problem, state.params, numbered(key, step), batch, self.rules)
        return Broken(state, seen, step, float(values[int(done)]), batch)

    def _look(self) -> None:
        tally, plan = self.state.tally, self.plan
        assert plan is not None, "there is a plan to look at"
        assert tally is not None, "a plan goes with a tally"
        seen = np.maximum(np.asarray(tally.seen), 1)[..., None]
        window = Window(np.ravel(gathered(tally.mean)), np.ravel(gathered(tally.square) / seen), int(seen.max()))
        plan.look(window)
        tally = tally.next_window()
        if len(plan.windows) == plan.averages_from:
            tally = tally.average_anew()
        if len(plan.windows) == plan.halves_from:
            tally = tally.second_half()
        self.state = dataclasses.replace(self.state, tally=tally)

    @property
    def objective_history(self) -> np.ndarray:
        """The objective at each step, in nats, `(steps,)` or `(steps, lanes)`."""
        if self.history:
            self.history = [np.concatenate(self.history)]
            return self.history[0]
        return np.zeros(0 if self.lanes is None else (0, self.lanes))

    @property
    def params(self):
        """The parameters so far: the last, or their average where that has begun."""
        plan, tally = self.plan, self.state.tally
        if plan is None or tally is None or plan.averages_from is None or len(plan.windows) < plan.averages_from:
            return self.state.params
        steps = np.asarray(tally.averaged) + np.asarray(tally.early_steps)
        return tally.both if np.all(steps > 0) else self.state.params

    @property
    def halves(self) -> tuple | None:
        """The averages of the earlier and the later steps, if there are both."""
        tally = self.state.tally
        if self.plan is None or tally is None or not len(self.plan.windows) > (self.plan.halves_from or np.inf):
            return None
        return tally.early, tally.average


@dataclasses.dataclass(frozen=True)
class Broken:
    """A step that was not finite.

    Attributes:
        state: the training state before it, of one run.
        seen: what it looked at.
        step: its number.
        objective: the objective at it.
        batch: the batch of it, or None.
    """

    state: TrainingState
    seen: LookedAt
    step: int
    objective: float
    batch: object = None


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some steps.

    Attributes:
        steps: how many.
        broken: the step that came next and was the end, or None.
    """

    steps: int
    broken: Broken | None = None


def one_lane(tree, lane: int):
    """Return one of several runs side by side."""
    return jax.tree.map(lambda leaf: leaf[lane], tree)
