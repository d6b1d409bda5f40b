"""`checkpoint=`: a fit under way in a file, and one that goes on where the file ends."""

from __future__ import annotations

import os
import time
import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import CheckpointError, ParameterError
from vipl._core.hosts import agreed
from vipl._core.source import user_source
from vipl.infer.storage.checkpoints import load_checkpoint, save_checkpoint
from vipl.infer.storage.settings import first_change, settings_of
from vipl.infer.training.convergence import Window
from vipl.infer.training.run import Run
from vipl.tracing.survey import survey

_SECONDS = 5.0  # between two files
_SHARE = 0.05  # of the time that writing may take


class Saver:
    """Writes a run to a file now and then; of several hosts the first does, and all read it.

    Args:
        path: the file.
        run: the run.
        guide: the guide as the user gave it.
    """

    def __init__(self, path, run: Run, guide):
        if not isinstance(path, (str, os.PathLike)):
            raise ParameterError(
                f"checkpoint is {path!r}; it is a path.", where=user_source(), fix='checkpoint="fit.checkpoint"'
            )
        self.path, self.run = path, run
        self._fingerprint = _fingerprint(run, guide)
        self._settings = {} if run.plan is not None else settings_of(run.rules.optimizer.value)
        self._due = time.monotonic()

    def resume(self) -> None:
        """Go on where the file ends, if there is one, else write the first.

        Raises:
            CheckpointError: the file is damaged, or of another run; or no file can be written there.
        """
        if agreed(os.path.exists(self.path)):
            self._load()
        else:
            self.save()

    def maybe_save(self) -> None:
        """Write the run, if it is time."""
        if agreed(time.monotonic() >= self._due):
            self.save()

    def save(self) -> None:
        """Write the run."""
        run, began = self.run, time.monotonic()
        plan = run.plan
        windows = [] if plan is None else plan.windows
        records = {
            "means": np.array([window.mean for window in windows]),
            "variances": np.array([window.variance for window in windows]),
            "steps": np.array([window.steps for window in windows], np.int64),
        }
        extra: dict = {"rested": None if plan is None else plan.rested, "settings": self._settings}
        if run.batches is not None:
            extra["batches"] = run.batches.position()
        save_checkpoint(
            self.path,
            run.state,
            step=run.step,
            key=run.key,
            history=run.objective_history,
            extra=extra,
            fingerprint=self._fingerprint,
            records=records,
        )
        took = time.monotonic() - began
        self._due = time.monotonic() + max(_SECONDS, took / _SHARE)

    def _load(self) -> None:
        run = self.run
        found = load_checkpoint(self.path, run.state, self._fingerprint)
        if found.step > run.num_steps:
            raise CheckpointError(
                f"{str(self.path)!r} holds {found.step} steps, and num_steps is {run.num_steps}.",
                where=user_source(),
                fix=f"num_steps={found.step} or more; or another path",
            )
        if change := first_change(found.extra.get("settings", {}), self._settings):
            raise CheckpointError(
                f"{str(self.path)!r} is of another run: of the optimiser {change}.",
                where=user_source(),
                fix="the optimiser that it was saved with; or another path, from params=posterior.params",
            )
        state: Any = found.state
        run.state, run.step = state, found.step
        run.history = [found.history] if found.step else []
        if run.plan is not None:
            moments = (found.records["means"], found.records["variances"], found.records["steps"])
            run.plan.windows = [Window(m, v, int(steps)) for m, v, steps in zip(*moments, strict=True)]
            run.plan.rested = found.extra["rested"]
        if run.batches is not None:
            run.batches.go_to(found.extra["batches"])


def _fingerprint(run: Run, guide) -> dict:
    """Return what a run is of, for another to be compared with."""
    problem, objective = run.problem, run.rules.objective
    params = run.state.params
    model, made = problem.programs(_first_lane(params) if run.lanes is not None else params)
    described = {
        "num_restarts": run.lanes or 1,
        "model": {a: list(group[0].full_shape) for a, group in survey(model).latents.items()},
        "observed": {a: list(group[0].full_shape) for a, group in survey(model).observed.items()},
        "guide": {a: list(group[0].full_shape) for a, group in survey(made).latents.items()},
        "guide name": made.name if hasattr(guide, "build") else "",
        "params": {
            jax.tree_util.keystr(path): list(np.shape(leaf))
            for path, leaf in jax.tree_util.tree_leaves_with_path(params)
        },
        "objective": objective.__name__,
        "num_samples": objective.num_samples,
        "optimizer": "vipl's own" if run.plan is not None else "given",
        "skips steps that are not finite": run.rules.skip,
        "key": np.asarray(jax.random.key_data(run.key)).tolist(),
        "the checksum of the data": _checksum(problem),
    }
    if run.plan is not None:  # its rates and windows depend on it
        described["num_steps"] = run.num_steps
    if problem.data is not None:
        described["batch_size"] = problem.data.batch_size
    return described


def _first_lane(tree):
    return jax.tree.map(lambda leaf: leaf[0], tree)


def _checksum(problem) -> int:
    """Return a checksum of the arrays of the model and of the data, as far as they are on this machine."""
    total = 0
    arrays = [problem.model, problem.guide, problem.data if problem.data is None else problem.data.arrays]
    for leaf in jax.tree.leaves(arrays):
        is_key = jnp.issubdtype(getattr(leaf, "dtype", np.float64), jax.dtypes.extended)  # a number of Python has none
        if getattr(leaf, "is_fully_addressable", True) and not is_key:
            total = zlib.crc32(np.ascontiguousarray(leaf).tobytes(), total)
    return total
