"""A plate of NumPyro: its indices are vipl's, and its dimension must be free among the plates around the model."""

from __future__ import annotations

import itertools

import jax.numpy as jnp

from vipl import lang
from vipl._core import ambient
from vipl._core.errors import ShapeError
from vipl._core.source import user_source


def open_plate(msg):
    """Return the indices of the plate that a `plate` message stands for.

    NumPyro says only afterwards which dimension it has; here it is taken to be the first free one.
    """
    name, (size, length) = msg["name"], msg["args"]
    own = {frame.dim for frame in msg["cond_indep_stack"]}
    refuse_taken(name, next(dim for dim in itertools.count(-1, -1) if dim not in own))
    if msg["value"] is not None:  # the whole, or what a handler has put in
        return jnp.asarray(msg["value"])
    with lang.plate(name, size, subsample_size=length) as indices:
        return indices


def refuse_taken(name: str, dim: int) -> None:
    """Refuse a plate of NumPyro if one of vipl around the model has its dimension, which the model counts on."""
    for frame in ambient.current().plates:
        if frame.dim == dim:
            raise ShapeError(
                f"NumPyro's plate {name!r} is at dim {dim}, which plate {frame.name!r} around the model has.",
                where=user_source(),
                fix=f"vipl.plate({frame.name!r}, {frame.size}, dim={dim - 1}), or wherever it is left of all plates "
                "of the model",
            )
