"""The end of a fit: from the runs to the Posterior, and what is said of it."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.hosts import gathered
from vipl.guides import GuideFamily
from vipl.infer.diagnosis.verdict import NATS
from vipl.infer.posterior import Posterior
from vipl.infer.problem.problem import Problem
from vipl.infer.training.agreement import agreement, drift_of, moments_of
from vipl.infer.training.convergence import rest_of
from vipl.infer.training.run import Run, one_lane
from vipl.infer.training.trouble import fall_of
from vipl.lang.program import Program
from vipl.tracing.survey import survey

_DRIFT = 0.2  # posterior standard deviations
_SKIPPED = 0.1  # of all steps
_SURE = 3.0  # standard errors: the best of several is one that was lucky
_BLOCKS = 10


@dataclasses.dataclass(frozen=True)
class Restarts:
    """Several runs, and whether they agree.

    Attributes:
        objectives: the objective of each at the end, in nats; NaN of a run that broke off; `(runs,)`.
        errors: their Monte Carlo standard errors, in nats; `(runs,)`.
        rhat: the largest R-hat among the latent values, of draws from the guides of those runs that come within a nat
            of the best: near 1 where these agree.
        best: which run was kept.
    """

    objectives: np.ndarray
    errors: np.ndarray
    rhat: float
    best: int

    @property
    def behind(self) -> np.ndarray:
        """Which runs ended over a nat below the best, three standard errors allowed, or broke off; `(runs,)`."""
        return runs_behind(self.objectives, self.errors)

    def __repr__(self):
        objectives = ", ".join(f"{objective:.2f}" for objective in self.objectives)
        runs = f"{len(self.objectives)} runs that reach {objectives} nats"
        return f"{runs}; run {self.best} is kept; R-hat {self.rhat:.2f}"


def runs_behind(objectives, errors) -> np.ndarray:
    """Return what `Restarts.behind` says."""
    if np.all(np.isnan(objectives)):
        return np.full(len(objectives), True)
    best = int(np.nanargmax(objectives))
    allowed = NATS + _SURE * np.hypot(errors, errors[best])
    return ~(objectives >= objectives[best] - allowed)


def posterior_of(run: Run, guide, status: str) -> Posterior:
    """Return the posterior that a run has found.

    Args:
        run: the run.
        guide: the guide as the user gave it.
        status: why it ended.
    """
    history, key, restarts, lane = run.objective_history, run.key, None, None
    if run.lanes is not None:
        (objectives, errors), lane, rhat = _final(history, run.rules.skip), 0, float("nan")
        if not np.all(np.isnan(objectives)):
            lane = int(np.nanargmax(objectives))
            near = np.flatnonzero(~runs_behind(objectives, errors))
            fine = [settled(run, guide, run.params, int(n)) for n in near]
            rhat = agreement([one.guide for one in fine], key[lane])
        restarts, history, key = Restarts(objectives, errors, rhat, lane), history[:, lane], key[lane]
    end = settled(run, guide, run.params, lane)
    if status == "finished":
        status = _judged(run, guide, history, lane, key)
    objective = run.rules.objective
    return Posterior(
        end.problem, end.params, history, status, key, len(history), objective=objective, restarts=restarts
    )


@dataclasses.dataclass(frozen=True)
class Settled:
    """Some parameters of a run, in coordinates of the values, where the family of the guide has such.

    Attributes:
        problem: what is fitted.
        params: the parameters.
        moments: mean and standard deviation of the coordinates of each site, by address, where the family tells; or
            None.
    """

    problem: Problem
    params: object
    moments: dict | None = None

    @property
    def guide(self) -> Program:
        """The guide, with the parameters."""
        return self.problem.programs(self.params)[1]


def settled(run: Run, guide, params, lane: int | None = None) -> Settled:
    """Return some parameters of a run in coordinates of the values."""
    frame, problem, moments = run.state.frame, run.problem, None
    if lane is not None:
        params, frame = one_lane((params, frame), lane)
    if frame is not None and isinstance(guide, GuideFamily) and problem.model is not None:
        own = {name: params[name] for name in problem.guide_params}
        frame, own = jax.tree.map(gathered, (frame, own))  # few numbers; on the host there is nothing to compile
        surveyed = survey(problem.model)
        frame, own = guide.settle(surveyed, frame, own)
        moments = guide.moments(surveyed, own) if frame is None else None
        params = params | own
    frame, params = jax.tree.map(jnp.asarray, (frame, params))
    return Settled(dataclasses.replace(problem, frame=frame), params, moments)


def settled_params(run: Run, guide):
    """Return the parameters of a run so far, as `settled` does; those of several runs have them in front."""
    if run.lanes is None:
        return settled(run, guide, run.params).params
    each = [settled(run, guide, run.params, lane).params for lane in range(run.lanes)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)


def _judged(run: Run, guide, history, lane, key) -> str:
    if fall := fall_of(history):
        return f"diverged: {fall}"
    skipped = int(np.sum(~np.isfinite(history)))
    if skipped > _SKIPPED * len(history):
        return f"not converged: {skipped} of {len(history)} steps were not finite, and skipped"
    if run.plan is None or run.halves is None:
        return "finished"
    early, late = (settled(run, guide, params, lane) for params in run.halves)
    before, after = (one.moments or moments_of(one.guide, key) for one in (early, late))
    if before is None or after is None or (drift := drift_of(before, after)).size <= _DRIFT:
        return "finished"
    rhat = "" if lane is not None else f"; split R-hat of the parameters {rest_of(run.plan.averaged).rhat:.2f}"
    return (
        f"not converged: {drift.address!r} still moved by {drift.size:.2f} posterior standard deviations in the last "
        f"{sum(window.steps for window in run.plan.averaged)} steps{rhat}"
    )


def _final(history, skip: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean objective of each run over its last tenth, NaN of one that broke off, and its standard error.

    The error is that of the means of ten blocks, since steps that follow each other are alike.
    """
    last = history[-max(len(history) // 10, 1) :] if len(history) else np.full((1, history.shape[1]), np.nan)
    made = np.isfinite(last)
    there = np.any(made, 0) if skip else np.all(made, 0)
    mean = np.where(there, np.sum(np.where(made, last, 0.0), 0) / np.maximum(np.sum(made, 0), 1), np.nan)
    blocks = [part.mean(0) for part in np.array_split(np.where(made, last, mean), min(_BLOCKS, len(last)))]
    return mean, np.std(blocks, axis=0, ddof=1) / np.sqrt(len(blocks)) if len(blocks) > 1 else np.zeros_like(mean)
