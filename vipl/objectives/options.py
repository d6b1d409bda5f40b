"""Checks of what the makers of objectives are given."""

from __future__ import annotations

import itertools
import math

import jax.numpy as jnp

from vipl._core.compat import is_tracer
from vipl._core.errors import ParameterError
from vipl._core.source import user_source


def check_num_particles(num_particles, name: str, least: int = 1) -> None:
    """Refuse a number of particles that is not an int, or too small.

    Args:
        num_particles: what the user gave.
        name: the objective's, for the error.
        least: the smallest number that serves.
    """
    if isinstance(num_particles, int) and not isinstance(num_particles, bool) and num_particles >= least:
        return
    whole = isinstance(num_particles, float) and num_particles.is_integer() and num_particles >= least
    what = f"num_particles is {num_particles!r}; it must be an int, at least {least}."
    raise refused(name, what, f"num_particles={int(num_particles) if whole else 8}")


def check_alpha(alpha, name: str) -> float:
    """Return the order of a divergence as a float, or refuse it.

    Args:
        alpha: what the user gave.
        name: the objective's, for the error.
    """
    order = _number(alpha)
    if not math.isfinite(order):
        raise refused(
            name,
            f"alpha is {alpha!r}; it must be a finite number, known when the objective is made.",
            "alpha=0.5; 0.0 is the importance-weighted bound, 1.0 the evidence lower bound",
        )
    return order


def check_order(order, name: str) -> float:
    """Return the order of a power mean as a float, or refuse it.

    Args:
        order: what the user gave.
        name: the objective's, for the error.
    """
    number = _number(order)
    if not (math.isfinite(number) and number > 0):
        raise refused(
            name, f"order is {order!r}; it must be a positive number, known when the objective is made.", "order=2.0"
        )
    return number


def check_partition(partition, name: str) -> tuple[float, ...]:
    """Return a partition of [0, 1] as floats, or refuse it.

    Args:
        partition: what the user gave.
        name: the objective's, for the error.
    """
    try:
        points = tuple(map(_number, partition))
    except Exception:  # no sequence; a traced array among others
        points = ()
    rising = all(start < end for start, end in itertools.pairwise(points))
    if not (len(points) >= 2 and points[0] == 0 and points[-1] == 1 and rising):
        raise refused(
            name,
            f"partition is {partition!r}; it must be increasing numbers from 0 to 1, known when the objective is made.",
            "partition=(0.0, 0.05, 1.0); (0.0, 1.0) is the evidence lower bound",
        )
    return points


def check_scalar(value, name: str, argument: str, fix: str, *, positive: bool = False) -> None:
    """Refuse what is not a number, or is negative.

    Args:
        value: what the user gave; a traced value is not looked at.
        name: the objective's, for the error.
        argument: that of the value, likewise.
        fix: what to write instead.
        positive: whether 0 is refused too.
    """
    if is_tracer(value) and jnp.shape(value) == ():
        return
    number = _number(value)
    if math.isfinite(number) and number >= 0 and not (positive and number == 0):
        return
    due = "a positive number" if positive else "a number of at least 0"
    raise refused(name, f"{argument} is {value!r}; it must be {due}.", fix)


def check_gradient(gradient, name: str, offered) -> None:
    """Refuse a gradient that the objective does not offer.

    Args:
        gradient: what the user gave.
        name: the objective's, for the error.
        offered: the names that it offers.
    """
    if isinstance(gradient, str) and gradient in offered:
        return
    raise refused(
        name,
        f"gradient is {gradient!r}; {name} offers {', '.join(map(repr, offered))}.",
        'gradient="dreg" where the guide is reparameterised, else gradient="plain"',
    )


def check_log_evidence(log_evidence, name: str) -> None:
    """Refuse what is neither None nor a finite scalar.

    Args:
        log_evidence: what the user gave; a traced value is not looked at.
        name: the objective's, for the error.
    """
    if log_evidence is None or is_tracer(log_evidence) and jnp.shape(log_evidence) == ():
        return
    if not math.isfinite(_number(log_evidence)):
        raise refused(
            name,
            f"log_evidence is {log_evidence!r}; it must be None, or a finite number, in nats.",
            "log_evidence=None, for the mean weight; log_evidence=0.0, for the unnormalised bound",
        )


def refused(name: str, what: str, fix: str) -> ParameterError:
    """Return the error for an argument of the objective of a name, where the user made it."""
    return ParameterError(what, where=f"objectives.{name}, {user_source()}", fix=fix)


def _number(value) -> float:
    """Return a value as a float, NaN if it is no number that is known."""
    try:
        return math.nan if isinstance(value, (bool, str)) else float(value)
    except Exception:  # a traced array among others: JAX raises errors of its own
        return math.nan
