"""Training that is under way: its state in a file, for a run that goes on where this one ended.

>>> import os, tempfile, jax, jax.numpy as jnp, numpy as np
>>> from vipl.infer.storage.checkpoints import load_checkpoint, save_checkpoint
>>> path, key, state = os.path.join(tempfile.mkdtemp(), "run.ckpt"), jax.random.key(0), {"loc": jnp.ones(2)}
>>> problem = {"sites": {"theta": [8]}, "num_restarts": 1}
>>> save_checkpoint(path, state, step=3, key=key, history=np.zeros(3), extra={"batches": 3}, fingerprint=problem)
>>> found = load_checkpoint(path, {"loc": jnp.zeros(2)}, problem)
>>> found.step, found.state, found.extra
(3, {'loc': Array([1., 1.], dtype=float32)}, {'batches': 3})
>>> load_checkpoint(path, {"loc": jnp.zeros(2)}, {"sites": {"theta": [9]}, "num_restarts": 1})
Traceback (most recent call last):
vipl._core.errors.CheckpointError: '...run.ckpt' is of another run: sites['theta'] was [8], and is [9] here. ...
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jax
import numpy as np

from vipl.infer.storage import archive, trees

_KIND = "training"
_FIX = "the model, the guide, the optimiser and the options that it was saved with; or another path"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Training that was under way.

    Attributes:
        state: what the next step needs, a pytree of arrays.
        step: how many steps were done.
        key: the key of the whole run, or the keys of several.
        history: the objective at each step, in nats; `(step,)`, or `(step, runs)`.
        extra: what else there was, as JSON has it: tuples have become lists.
        records: what else there was of arrays, of NumPy.
    """

    state: object
    step: int
    key: jax.Array
    history: np.ndarray
    extra: dict
    records: Any


def save_checkpoint(path, state, *, step: int, key, history, extra: dict, fingerprint: dict, records=()) -> None:
    """Write the state of training to a file, whole or not at all.

    Args:
        path: where.
        state: what the next step needs, any pytree of arrays.
        step: how many steps were done.
        key: the key of the whole run, or the keys of several.
        history: the objective at each step, in nats.
        extra: what else is needed, such as where an iterator of data is; what JSON can hold, by name.
        fingerprint: what the run is of, for `load_checkpoint` to compare; what JSON can hold, by name, the names that
            say most first.
        records: other arrays, in any number: in dicts with string keys, lists and tuples.

    Raises:
        CheckpointError: the file cannot be written, or something cannot be stored.
    """
    outlines, arrays = trees.pack({"state": state, "key": key, "history": np.asarray(history), "records": records})
    metadata = {"trees": outlines, "step": step, "extra": extra, "fingerprint": fingerprint}
    archive.write(path, _KIND, metadata, arrays)


def load_checkpoint(path, template, fingerprint: dict) -> Checkpoint:
    """Read the state of training.

    Args:
        path: the file.
        template: a state as it is before the first step, for its containers, shapes, types and places.
        fingerprint: what this run is of.

    Raises:
        CheckpointError: there is no such file, it is damaged or holds something else, or it is of another run: another
            fingerprint, or a state that is not like the template.
    """
    found = archive.read(path, _KIND)
    difference = _first_difference(found.entry("fingerprint", dict), json.loads(json.dumps(fingerprint)), "")
    if difference:
        raise found.refusal(f"is of another run: {difference}", _FIX)
    return Checkpoint(
        state=trees.unpack(found, "state", template, fix=_FIX),
        step=found.entry("step", int),
        key=found.array("key"),
        history=found.array("history"),
        extra=found.entry("extra", dict),
        records=trees.unpack(found, "records", fix=_FIX, on_host=True),
    )


def _first_difference(stored, here, name: str) -> str:
    """Say where two fingerprints first part, or nothing."""
    if not (isinstance(stored, dict) and isinstance(here, dict)):
        return "" if stored == here else f"{name} was {_brief(stored)}, and is {_brief(here)} here"
    for key in [*here, *(key for key in stored if key not in here)]:
        inner = f"{name}[{key!r}]" if name else key
        if key not in stored:
            return f"it had no {inner}, which is {_brief(here[key])} here"
        if key not in here:
            return f"{inner} was {_brief(stored[key])}, and there is none here"
        if difference := _first_difference(stored[key], here[key], inner):
            return difference
    return ""


def _brief(value) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
