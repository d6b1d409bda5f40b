"""What `ais` is given, checked and in plain Python, so that it compares by value when the objective is made again."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from vipl._core.compat import is_tracer
from vipl.objectives.options import check_scalar, refused


def checked_steps(num_steps, step_size, name: str):
    """Return step sizes, a scalar or pairs of address and size, where they and their number may pass.

    Refused are a number that is not a positive int, and sizes that are known not to be positive.

    Args:
        num_steps: what the user gave.
        step_size: likewise, a scalar or a dict of arrays.
        name: the objective's, for the error.
    """
    if not isinstance(num_steps, int) or isinstance(num_steps, bool) or num_steps < 1:
        raise refused(name, f"num_steps is {num_steps!r}; it must be an int, at least 1.", "num_steps=8")
    if not isinstance(step_size, Mapping):
        check_scalar(step_size, name, "step_size", "step_size=0.1", positive=True)
        return _plain(step_size)
    for address, value in step_size.items():
        if is_tracer(value):
            continue
        array = _array(value)
        if array is None or not (np.isfinite(array) & (array > 0)).all():
            what = f"step_size of {address!r} is {value!r}; it must be positive numbers."
            raise refused(name, what, f"step_size={{{address!r}: 0.1, …}}")
    return tuple((address, _plain(value)) for address, value in step_size.items())


def checked_schedule(schedule, num_steps: int, name: str):
    """Return a schedule; refuse one of another shape, or that is known not to rise within [0, 1].

    Args:
        schedule: what the user gave.
        num_steps: how many numbers it must have.
        name: the objective's, for the error.
    """
    if schedule is None or is_tracer(schedule) and jnp.shape(schedule) == (num_steps,):
        return schedule
    points = _array(schedule)
    if points is None or points.shape != (num_steps,) or not _rises(points):
        raise refused(
            name,
            f"schedule is {schedule!r}; it must be an array of {num_steps} rising numbers in [0, 1].",
            f"schedule=jnp.arange(1, {num_steps + 1}) / {num_steps}, which None stands for",
        )
    return _plain(points)


def _rises(points) -> bool:
    return bool((points >= 0).all() and (points <= 1).all() and (np.diff(points) >= 0).all())


def checked_persistence(persistence, name: str):
    """Return a persistence; refuse one that is known not to be in [0, 1).

    Args:
        persistence: what the user gave.
        name: the objective's, for the error.
    """
    fix = "persistence=0.0, or 0.9 for paths that go on in one direction"
    check_scalar(persistence, name, "persistence", fix)
    if not is_tracer(persistence) and not float(persistence) < 1:
        raise refused(name, f"persistence is {persistence!r}; it must be less than 1.", fix)
    return _plain(persistence)


def _plain(value):
    """Return an array that is known as numbers, in lists if it has axes."""
    return value if is_tracer(value) else np.asarray(value, np.float64).tolist()


def _array(value):
    """Return an array of numbers, or None; a list that holds traced values is none."""
    try:
        array = np.asarray(value)
    except Exception:
        return None
    return array if array.dtype.kind in "fiu" else None
