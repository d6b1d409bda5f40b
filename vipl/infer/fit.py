"""The fit itself: chunks of compiled steps, and what may happen between them."""

from __future__ import annotations

import time

import jax
import numpy as np

from vipl._core.keys import as_key
from vipl._core.static import StaticValue
from vipl.infer import loop
from vipl.infer.infer import InferState
from vipl.infer.options import check_options, refuse_tracing, refuse_unoffered, warn_of_lost_precision
from vipl.infer.posterior import Posterior
from vipl.infer.problem import pose
from vipl.infer.progress import Progress
from vipl.infer.trouble import explain_non_finite, fall_of

_SECONDS_PER_CHUNK = 0.1  # how long progress, callbacks and Ctrl-C may have to wait


def default_optimizer(num_steps: int):
    """Return Adam with a learning rate that falls from 0.03 to 0 along a cosine."""
    import optax

    return optax.adam(optax.cosine_decay_schedule(0.03, max(num_steps, 1)))


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
    refuse_tracing((model, guide, key, params))
    key = as_key(key, "infer")
    refuse_unoffered(data=data, batch_size=batch_size, checkpoint=checkpoint)
    check_options(objective, optimizer, num_steps, num_samples, num_restarts, on_nan)
    problem, params = pose(model, guide, params, key)
    warn_of_lost_precision(model)
    # A copy looks anew at what the objective's function reads, so that a redefined helper is compiled again.
    objective = objective.with_num_samples(objective.num_samples if num_samples == 1 else num_samples)
    optimizer = StaticValue(optimizer if optimizer is not None else default_optimizer(num_steps))
    options = {"objective": objective, "optimizer": optimizer, "skip": on_nan == "skip"}
    state = loop.start(params, optimizer=optimizer)
    history, status, count, step = [], "finished", 64, 0
    try:
        with Progress(progress, num_steps) as bar:
            while step < num_steps:
                began = time.perf_counter()
                count = min(count, num_steps - step, loop.CAPACITY)
                after, values, done, finite = loop.advance(problem, state, key, np.int32(count), **options)
                done, finite = int(done), bool(finite)
                values = np.asarray(values)[:done]
                if not finite and on_nan != "skip":
                    state, _, _, _ = loop.advance(problem, state, key, np.int32(done - 1), **options)
                    history.append(values[:-1])
                    error = _explain(problem, state, key, step + done - 1, values[-1])
                    if on_nan == "raise":
                        raise error
                    status = f"stopped: {error.what}"
                    break
                state, step = after, step + done
                history.append(values)
                bar.advance(done, float(np.mean(values)))
                if _wants_to_stop(callback, stop, state, step, history):
                    status = "stopped"
                    break
                if step > count:  # the first chunk pays for the compilation
                    seconds = max(time.perf_counter() - began, 1e-6)
                    count = int(np.clip(done * _SECONDS_PER_CHUNK / seconds, 1, loop.CAPACITY))
    except KeyboardInterrupt:
        status = "interrupted"
    history = np.concatenate(history) if history else np.zeros(0)
    if status == "finished" and (fall := fall_of(history)):
        status = f"diverged: {fall}"
    return Posterior(problem, state.params, history, status, key, len(history))


def _explain(problem, state, key, step, value):
    return explain_non_finite(problem, state.params, jax.random.fold_in(key, step), step, value)


def _wants_to_stop(callback, stop, state, step, history) -> bool:
    if callback is None and stop is None:
        return False
    so_far = np.concatenate(history)
    asked = callback is not None and callback(InferState(step, state.params, so_far)) is True
    return asked or (stop is not None and bool(stop(so_far)))
