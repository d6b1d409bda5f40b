"""Checks of what `infer` is given, before anything is compiled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import jax
import numpy as np

from vipl._core.compat import is_tracer, staging_depth, x64_enabled
from vipl._core.errors import ParameterError, ProgramError, VIPLWarning
from vipl._core.source import user_source
from vipl.transform import Expectation


def refuse_tracing(arguments) -> None:
    """Refuse to run inside a JAX transformation."""
    trees = [argument for argument in arguments if not isinstance(argument, Iterator)]  # which is no pytree to JAX
    if staging_depth() or any(is_tracer(leaf) for leaf in jax.tree.leaves(trees)):
        raise ProgramError(
            "infer is called inside jax.jit, vmap or another transformation; it runs a loop of Python.",
            where=user_source(),
            fix="call infer outside (its steps are compiled); or write the loop with jax.value_and_grad(objective)",
        )


def check_options(objective, optimizer, num_steps, num_samples, num_restarts, on_nan) -> None:
    """Refuse options of the wrong kind."""
    if not isinstance(objective, Expectation):
        raise ProgramError(
            f"the objective is {getattr(objective, '__name__', objective)!r}, which is not an expectation.",
            where=user_source(),
            fix="objectives.elbo; or @vipl.expectation above `def objective(model, guide):`",
        )
    if optimizer is not None and not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise ParameterError(
            f"optimizer is {optimizer!r}, which is not an optax optimizer.",
            where=user_source(),
            fix="optimizer=optax.adam(0.01)",
        )
    counts = (("num_steps", num_steps, 0), ("num_samples", num_samples, 1), ("num_restarts", num_restarts, 1))
    for name, value, least in counts:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ParameterError(
                f"{name} is {value!r}; it must be an int, at least {least}.",
                where=user_source(),
                fix=f"{name}={int(value)}" if isinstance(value, float) and value >= least else f"{name}=1000",
            )
    if on_nan not in ("raise", "stop", "skip"):
        raise ParameterError(f"on_nan is {on_nan!r}.", where=user_source(), fix='"raise", "stop" or "skip"')


_warned: set[str] = set()


def warn_of_lost_precision(model, data=None) -> None:
    """Say once that float64 data are rounded to float32, if they really are."""
    if x64_enabled() or "x64" in _warned:
        return
    of_data = [] if isinstance(data, Iterator) else jax.tree.leaves(data)
    for leaf in (*getattr(model, "_arrays", ()), *of_data):
        if isinstance(leaf, np.ndarray) and leaf.dtype == np.float64 and not is_tracer(leaf):
            if not np.array_equal(leaf.astype(np.float32).astype(np.float64), leaf, equal_nan=True):
                _warned.add("x64")
                warnings.warn(
                    "data of type float64 are rounded to float32, as JAX does by default; "
                    'jax.config.update("jax_enable_x64", True) at the start of the program keeps them',
                    VIPLWarning,
                    stacklevel=3,
                )
                return
