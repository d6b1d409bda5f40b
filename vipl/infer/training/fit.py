"""The fit itself: what `vipl.infer` does, from what the user hands over to the Posterior."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.hosts import agreed
from vipl._core.keys import as_key
from vipl.guides import MeanField
from vipl.guides.direct import DirectFamily
from vipl.infer.options import check_options, refuse_tracing, warn_of_lost_precision
from vipl.infer.posterior import Posterior
from vipl.infer.training import loop
from vipl.infer.training.auto import fit_best
from vipl.infer.training.direct import solve
from vipl.infer.training.ending import posterior_of, settled_params
from vipl.infer.training.interrupt import Interruptible
from vipl.infer.training.progress import Progress
from vipl.infer.training.run import Run
from vipl.infer.training.saved import Saver
from vipl.infer.training.setup import begin
from vipl.infer.training.state import InferState
from vipl.infer.training.tally import fresh
from vipl.infer.training.trouble import explain_non_finite

_SECONDS_PER_CHUNK = 0.1  # how long progress and callbacks may have to wait
_SECONDS_UNSEEN = 0.5  # how long Ctrl-C may, where nobody looks on
_GROWTH = 8  # of a chunk over the one before


def fit(
    model,
    guide,
    *,
    key,
    objective,
    optimizer,
    num_steps,
    num_samples,
    params,
    data,
    batch_size,
    num_restarts,
    progress,
    callback,
    checkpoint,
    on_nan,
    stop,
) -> Posterior:
    """Do what `vipl.infer` says."""
    options = {name: value for name, value in locals().items() if name not in ("model", "guide", "key")}
    refuse_tracing((model, guide, key, params, data))
    key = as_key(key, "infer")
    if isinstance(guide, str) and guide == "auto":
        single = {"params": params, "data": data, "batch_size": batch_size, "checkpoint": checkpoint}
        return fit_best(model, key, lambda model, guide, key: fit(model, guide, key=key, **options), **single)
    check_options(objective, optimizer, num_steps, num_samples, num_restarts, on_nan)
    warn_of_lost_precision(model, data)
    guide = MeanField() if guide is None else guide
    if isinstance(guide, DirectFamily):
        unused = {"optimizer": optimizer, "params": params, "data": data, "batch_size": batch_size}
        return solve(model, guide, key, num_steps, objective, **unused)
    run = begin(
        model,
        guide,
        key=key,
        objective=objective,
        optimizer=optimizer,
        num_steps=num_steps,
        num_samples=num_samples,
        params=params,
        data=data,
        batch_size=batch_size,
        lanes=None if num_restarts == 1 else num_restarts,
        skip=on_nan == "skip",
    )
    saver = None if checkpoint is None else Saver(checkpoint, run, guide)
    if saver is not None:
        saver.resume()
    interruptible = Interruptible()
    try:
        with interruptible, Progress(progress, num_steps, run.step) as bar:

            def between(made: int) -> bool:
                interruptible.check()
                bar.advance(made, _mean(run.history[-1][-made:]))
                if saver is not None:
                    saver.maybe_save()
                return _wants_to_stop(run, guide, callback, stop)

            seen = progress or callback is not None or stop is not None or checkpoint is not None
            seconds = _SECONDS_PER_CHUNK if seen else _SECONDS_UNSEEN
            status = _train(run, guide, between, on_nan, interruptible, seconds)
    except BaseException as error:
        if interruptible.at_once:  # the step that was being made is lost, and the state with it
            raise KeyboardInterrupt from error  # of which XLA makes another error, if it had called Python
        if not isinstance(error, KeyboardInterrupt):
            raise
        status = "interrupted"
    finally:
        if saver is not None and not interruptible.at_once:
            saver.save()
    return posterior_of(run, guide, status)


def _train(run: Run, guide, between, on_nan: str, interruptible: Interruptible, chunk_seconds: float) -> str:
    """Make all steps, and call `between(number made)` in between; returns the status."""
    count, compiled = 1, False
    while run.step < run.num_steps:
        began = time.perf_counter()
        with interruptible.waiting():
            if run.batches is not None and run.batches.look() is None:
                return f"stopped: the data had no batch for step {run.step}"
        chunk = run.advance(min(count, run.longest_chunk()))
        if chunk.broken is not None:
            error = explain_non_finite(chunk.broken)
            if on_nan == "raise":
                error.posterior = posterior_of(run, guide, f"stopped: {error.what}")
                raise error
            return f"stopped: {error.what}"
        if between(chunk.steps):
            return "stopped"
        seconds = agreed(max(time.perf_counter() - began, 1e-6))
        by_time = int(chunk.steps * chunk_seconds / seconds)
        count = int(np.clip(by_time, 1, min(count * _GROWTH, loop.CAPACITY))) if compiled else 1
        compiled = True  # the time of the first step was that of the compiler
    return "finished"


def _mean(objectives) -> float:
    fine = objectives[np.isfinite(objectives)]
    return float(np.mean(fine)) if fine.size else float("nan")


def _wants_to_stop(run: Run, guide, callback, stop) -> bool:
    if callback is None and stop is None:
        return False
    so_far = run.objective_history
    if callback is not None:
        copy = lambda leaf: jnp.asarray(fresh(leaf))  # noqa: E731 - the steps to come use the memory of the state
        params = jax.tree.map(copy, settled_params(run, guide))
        if callback(InferState(run.step, run.problem.whole(params), so_far)) is True:
            return True
    return stop is not None and bool(stop(so_far))
