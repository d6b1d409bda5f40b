"""The end of a fit: from the runs to the Posterior, and what is said of it."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from vipl.guides import GuideFamily
from vipl.infer.posterior import Posterior
from vipl.infer.problem.problem import Problem
from vipl.infer.training.convergence import rest_of
from vipl.infer.training.run import Run, one_lane
from vipl.infer.training.trouble import fall_of
from vipl.tracing.simulate import simulate
from vipl.tracing.survey import survey

_DRIFT = 0.25  # in coordinates in which the posterior is about standard normal
_DRAWS = 500  # of each run, to tell whether they agree


@dataclasses.dataclass(frozen=True)
class Restarts:
    """Several runs, and whether they agree.

    Attributes:
        objectives: the objective of each at the end, in nats; NaN of a run that broke off; `(runs,)`.
        rhat: the largest R-hat among the latent values, of draws from each run's guide: near 1 where the runs agree.
        best: which run was kept.
    """

    objectives: np.ndarray
    rhat: float
    best: int


def posterior_of(run: Run, guide, status: str) -> Posterior:
    """Return the posterior that a run has found.

    Args:
        run: the run.
        guide: the guide as the user gave it.
        status: why it ended.
    """
    history, lanes = run.objective_history, run.lanes
    if lanes is None:
        problem, params = settled(run, guide)
        return _posterior(run, problem, params, history, status, run.key, None)
    objectives = _final(history)
    every = [settled(run, guide, lane) for lane in range(lanes)]
    if np.all(np.isnan(objectives)):
        best, rhat = 0, float("nan")
    else:
        best = int(np.nanargmax(objectives))
        rhat = _agreement([every[lane] for lane in range(lanes) if np.isfinite(objectives[lane])], run.key[best])
    problem, params = every[best]
    restarts = Restarts(objectives, rhat, best)
    return _posterior(run, problem, params, history[:, best], status, run.key[best], restarts)


def settled(run: Run, guide, lane: int | None = None) -> tuple[Problem, object]:
    """Return the problem and the parameters of a run in coordinates of the values, where the family has such."""
    params, frame, problem = run.params, run.state.frame, run.problem
    if lane is not None:
        params, frame = one_lane((params, frame), lane)
    if frame is not None and isinstance(guide, GuideFamily) and problem.model is not None:
        frame, own = guide.settle(survey(problem.model), frame, {name: params[name] for name in problem.guide_params})
        params = params | own
    return dataclasses.replace(problem, frame=frame), params


def _posterior(run, problem, params, history, status, key, restarts) -> Posterior:
    if status == "finished":
        status = _judged(run, history)
    objective = run.rules.objective
    return Posterior(problem, params, history, status, key, len(history), objective=objective, restarts=restarts)


def _judged(run: Run, history) -> str:
    if fall := fall_of(history):
        return f"diverged: {fall}"
    windows = [] if run.plan is None else run.plan.averaged
    if len(windows) < 4:
        return "finished"
    rest = rest_of(windows)
    if run.state.frame is not None and rest.drift > _DRIFT:
        steps = sum(window.steps for window in windows)
        return (
            f"not converged: a parameter still moved by {rest.drift:.2f} posterior standard deviations in the last "
            f"{steps} steps (split R-hat {rest.rhat:.2f})"
        )
    return "finished"


def _final(history) -> np.ndarray:
    """Return the mean objective of each run over its last tenth; NaN of one that broke off."""
    last = history[-max(len(history) // 10, 1) :] if len(history) else np.full((1, history.shape[1]), np.nan)
    return np.where(np.all(np.isfinite(last), 0), np.mean(last, 0), np.nan)


def _agreement(fitted, key) -> float:
    """Return the largest R-hat among the latent values, by draws of each fit."""
    draws = [_draws(problem.programs(params)[1], jax.random.split(key, _DRAWS)) for problem, params in fitted]
    worst = 1.0
    for address in draws[0]:
        values = np.stack([np.asarray(of[address], float).reshape(_DRAWS, -1) for of in draws])
        within = values.var(1, ddof=1).mean(0)
        between = values.mean(1).var(0, ddof=1) if len(draws) > 1 else np.zeros_like(within)
        apart = np.where(between > 0, between / np.maximum(within, np.finfo(float).tiny), 0.0)
        worst = max(worst, float(np.sqrt(1 + apart.max(initial=0.0))))
    return worst


@jax.jit
def _draws(guide, keys):
    return jax.vmap(lambda key: dict(simulate(guide, key).choices))(keys)
