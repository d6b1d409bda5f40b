"""`save_posterior`: a posterior in a file."""

from __future__ import annotations

import jax
import numpy as np

from vipl._core.static import is_array_leaf
from vipl.infer.problem.without_data import survey_without_data
from vipl.infer.storage import archive, trees
from vipl.infer.storage.sites import describe
from vipl.objectives import elbo
from vipl.tracing.survey import survey

KIND = "posterior"
PSIS = ("log_weights", "khat", "threshold", "effective_sample_size")  # of a PSISResult
RESTARTS = ("objectives", "errors", "rhat", "best")  # of Restarts


def save_posterior(path, posterior, problem, key, num_steps: int) -> None:
    """Do what `Posterior.save` says.

    Args:
        path: where.
        posterior: the posterior.
        problem: what it is of.
        key: its key.
        num_steps: how many steps were made.
    """
    objective, runs = posterior.objective, posterior.restarts
    found = {"params": arrays_only(problem.whole(posterior._params))}
    if problem.frame is not None:
        found["frame"] = {"center": problem.frame.center, "scale": problem.frame.scale}
    if problem.data is not None:
        found["batch"] = problem.data.first
    outlines, arrays = trees.pack(found)
    judgement, numbers = _judgement(posterior)
    arrays |= {"key": key, "objective_history": np.asarray(posterior.objective_history)} | numbers
    if runs is not None:
        arrays |= {f"restarts.{name}": np.asarray(getattr(runs, name)) for name in RESTARTS}
    model, guide = posterior.model, posterior.guide
    absent = set(survey(model).latents) - set(survey(guide).latents)  # of a posterior that was loaded without its data
    metadata = {
        "model": describe(survey_without_data(model, absent)),
        "guide": describe(survey(guide)),
        "guide_name": guide.name,
        "status": posterior.status,
        "num_steps": num_steps,
        "declared": bool(problem.model_params or problem.guide_params),
        "only_arrays": problem.skeleton is None,
        "elbo_samples": objective.num_samples if _is_elbo(objective) else None,
        "judgement": judgement,
        "trees": outlines,
    }
    archive.write(path, KIND, metadata, arrays)


def arrays_only(params):
    """Return params with None for what is no array."""
    return jax.tree.map(lambda leaf: leaf if is_array_leaf(leaf) else None, params)


def _is_elbo(objective) -> bool:
    return objective is not None and objective.with_num_samples(1) == elbo


def _judgement(posterior) -> tuple[dict | None, dict]:
    """Return what is said of a posterior and needs its data: in words, and in numbers."""
    try:
        verdict, advice = posterior._judgement
        numbers = {"elbo": posterior.elbo, "elbo_se": posterior.elbo_se}
        numbers |= {f"psis.{name}": getattr(posterior.psis, name) for name in PSIS}
    except Exception:  # a posterior that cannot be judged, whatever its model does then, is kept all the same
        return None, {}
    words = {"verdict": verdict, "advice": list(advice), "psis": posterior.psis.status}
    return words, {name: np.float64(value) for name, value in numbers.items()}
