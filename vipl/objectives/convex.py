"""Checks of a convex function that a user gives.

>>> from vipl.objectives.convex import check_convex
>>> check_convex(lambda t: (t - 1) ** 2, "f_divergence")
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.compat import is_tracer
from vipl.objectives.options import refused

# Ratios of a thousandth to a thousand, with 1 among them; each is the geometric mean of its neighbours.
_POINTS = np.exp(np.linspace(-1, 1, 25) * np.log(1000.0))
_TOLERANCE = 1e-4


def check_convex(f, name: str) -> None:
    """Refuse a function of a positive scalar that is not convex, as far as can be seen, or not 0 at 1.

    Values that are traced, those of a function that closes over something being differentiated, are not looked at.

    Args:
        f: what the user gave.
        name: the objective's, for the error.

    Raises:
        ParameterError: it is no function, does not return a floating-point scalar, is not 0 at 1, not a number
            somewhere, or above a chord.
    """
    if not callable(f):
        raise refused(name, f"f is {f!r}; it must be a function of a positive scalar.", _FIX)
    outline = jax.eval_shape(f, jax.ShapeDtypeStruct((), jnp.result_type(float)))
    shape, dtype = getattr(outline, "shape", None), getattr(outline, "dtype", type(outline).__name__)
    if shape != () or not jnp.issubdtype(dtype, jnp.floating):
        raise refused(name, f"f returns {dtype} of shape {shape} for a scalar; it must return a scalar.", _FIX)
    with jax.ensure_compile_time_eval():
        values = jax.vmap(f)(jnp.asarray(_POINTS))
    if not is_tracer(values):
        _check_values(np.asarray(values, np.float64), name)


def _check_values(values, name: str) -> None:
    middle = len(_POINTS) // 2
    if not abs(values[middle]) <= _TOLERANCE:
        raise refused(name, f"f(1) is {values[middle]:.6g}; it must be 0.", f"f less its value at 1; {_FIX}")
    for point, value in zip(_POINTS, values, strict=True):
        if not value > -np.inf:
            raise refused(name, f"f({point:.3g}) is {value}; f must be a number for every positive ratio.", _FIX)
    share = (_POINTS[2:] - _POINTS[1:-1]) / (_POINTS[2:] - _POINTS[:-2])
    chords = share * values[:-2] + (1 - share) * values[2:]
    sizes = np.abs(values[:-2]) + np.abs(values[1:-1]) + np.abs(values[2:])
    for point, value, chord, size in zip(_POINTS[1:-1], values[1:-1], chords, sizes, strict=True):
        if value > chord + _TOLERANCE * size:
            what = f"f is not convex: f({point:.3g}) is {value:.4g}, above its chord there, {chord:.4g}."
            raise refused(name, what, f"a convex f; for a concave one its negative; {_FIX}")


_FIX = "for example f=lambda t: (jnp.sqrt(t) - 1) ** 2"
