"""Initial values that the user hands over: checked, and put in their places."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import ParameterError, did_you_mean
from vipl._core.static import is_array_leaf
from vipl.guides.coordinates import Frame
from vipl.lang.conditioning import check_param


def floating(params, source):
    """Return params as arrays, or name the one that cannot be learned; what is no number stays as it is."""

    def check(path, leaf: Any):
        name = jax.tree_util.keystr(path)
        if not is_array_leaf(leaf) and not isinstance(leaf, (int, bool)):
            return leaf  # an activation function of a network, say
        leaf = np.asarray(leaf) if not hasattr(leaf, "dtype") else leaf
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise ParameterError(
                f"params{name} is of type {leaf.dtype}; only floating-point values can be learned.",
                where=source,
                fix=f"params{name} as a float; a fixed integer is an argument of the program instead",
            )
        return jnp.asarray(leaf)

    return jax.tree_util.tree_map_with_path(check, params)


def with_frame(params, frame: Frame | None):
    """Return params with the coordinates that they are of, where these are not those of the values."""
    if frame is None or not isinstance(params, dict):
        return params
    return params | {"frame.center": frame.center, "frame.scale": frame.scale}


def split_frame(params) -> tuple:
    """Return params without their coordinates, and these, or None."""
    if not isinstance(params, dict) or not {"frame.center", "frame.scale"} <= params.keys():
        return params, None
    own = {name: value for name, value in params.items() if not name.startswith("frame.")}
    return own, Frame(jnp.asarray(params["frame.center"]), jnp.asarray(params["frame.scale"]))


def started_from(params, initial, surveys, source):
    """Return initial values with the user's in their places."""
    if not isinstance(params, dict):
        raise ParameterError(
            f"params are a dict of addresses, and got {type(params).__name__}.",
            where=source,
            fix="posterior.params of a fit of the same model and guide, or {address: unconstrained value}",
        )
    statements = {a: group[0].statement for surveyed in surveys for a, group in surveyed.params.items()}
    for address, value in params.items():
        if address not in initial:
            raise ParameterError(
                f"there is no param {address!r} in this model and guide." + did_you_mean(str(address), initial),
                where=source,
                fix="params of a fit serve the same model and guide only",
            )
        params = params | {address: jnp.asarray(check_param(statements[address], value, source))}
    return initial | params
