"""What a file says of a posterior by itself, before a model and a guide are looked at."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from vipl.diagnostics.psis import PSISResult
from vipl.guides.coordinates import Frame
from vipl.infer.problem.data import Data
from vipl.infer.storage import trees
from vipl.infer.storage.archive import Archive
from vipl.infer.storage.arrays import is_key
from vipl.infer.storage.refused import WRITE_ANEW
from vipl.infer.storage.saving import PSIS, RESTARTS
from vipl.infer.training.ending import Restarts
from vipl.objectives import elbo


@dataclasses.dataclass(frozen=True)
class Stored:
    """What a file says of a posterior by itself.

    Attributes:
        status, num_steps, objective_history, objective, restarts: as of a `Posterior`; the objective is None if a file
            cannot hold it.
        key: its key.
        frame: of its problem, or None.
        data: the first batch of its data, or None.
        guide_name: what the fitted guide was called.
        declared: whether its params are those of `vipl.param` and of families.
        only_arrays: whether its params are all arrays.
        known: what is known of it and needs the data, by the names of a `Posterior`'s attributes.
    """

    status: str
    num_steps: int
    objective_history: np.ndarray
    objective: Any
    restarts: Restarts | None
    key: jax.Array
    frame: Frame | None
    data: Data | None
    guide_name: str
    declared: bool
    only_arrays: bool
    known: dict


def stored_in(found: Archive) -> Stored:
    """Return what is stored.

    Raises:
        CheckpointError: something is missing, or of another kind.
    """
    held, samples = found.entry("trees", dict), found.entry("elbo_samples", (int, type(None)))
    try:
        return Stored(
            status=found.entry("status", str),
            num_steps=found.entry("num_steps", int),
            objective_history=found.array("objective_history"),
            objective=None if samples is None else elbo.with_num_samples(samples),
            restarts=_restarts(found) if f"restarts.{RESTARTS[0]}" in found.arrays else None,
            key=_key(found.array("key")),
            frame=Frame(**trees.unpack(found, "frame", fix=WRITE_ANEW)) if "frame" in held else None,
            data=Data(trees.unpack(found, "batch", fix=WRITE_ANEW)) if "batch" in held else None,
            guide_name=found.entry("guide_name", str),
            declared=found.entry("declared", bool),
            only_arrays=found.entry("only_arrays", bool),
            known=_known(found),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise found.refusal("is not as a posterior is stored", WRITE_ANEW) from error


def _key(array):
    if not is_key(array) or array.shape != ():
        raise ValueError
    return array


def _restarts(found: Archive) -> Restarts:
    kept = {name: found.array(f"restarts.{name}") for name in RESTARTS if f"restarts.{name}" in found.arrays}
    errors = kept.get("errors", np.zeros_like(kept["objectives"]))  # absent if an older vipl wrote the file
    return Restarts(kept["objectives"], errors, float(kept["rhat"]), int(kept["best"]))


def _known(found: Archive) -> dict:
    words = found.entry("judgement", (dict, type(None)))
    if words is None:
        return {}
    log_weights, khat, threshold, effective_sample_size = (found.array(f"psis.{name}") for name in PSIS)
    smoothed = PSISResult(log_weights, float(khat), float(threshold), float(effective_sample_size), str(words["psis"]))
    return {
        "elbo": float(found.array("elbo")),
        "elbo_se": float(found.array("elbo_se")),
        "psis": smoothed,
        "_judgement": (str(words["verdict"]), tuple(map(str, words["advice"]))),
    }
