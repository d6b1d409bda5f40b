"""Checks of what the makers of objectives are given."""

from __future__ import annotations

import math

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
    raise ParameterError(
        f"num_particles is {num_particles!r}; it must be an int, at least {least}.",
        where=f"objectives.{name}, {user_source()}",
        fix=f"num_particles={int(num_particles) if whole else 8}",
    )


def check_alpha(alpha, name: str) -> float:
    """Return the order of a divergence as a float, or refuse it.

    Args:
        alpha: what the user gave.
        name: the objective's, for the error.
    """
    try:
        order = math.nan if isinstance(alpha, (bool, str)) else float(alpha)
    except Exception:  # a traced array among others: JAX raises errors of its own
        order = math.nan
    if not math.isfinite(order):
        raise ParameterError(
            f"alpha is {alpha!r}; it must be a finite number, known when the objective is made.",
            where=f"objectives.{name}, {user_source()}",
            fix="alpha=0.5; 0.0 is the importance-weighted bound, 1.0 the evidence lower bound",
        )
    return order


def check_gradient(gradient, name: str, offered) -> None:
    """Refuse a gradient that the objective does not offer.

    Args:
        gradient: what the user gave.
        name: the objective's, for the error.
        offered: the names that it offers.
    """
    if isinstance(gradient, str) and gradient in offered:
        return
    raise ParameterError(
        f"gradient is {gradient!r}; {name} offers {', '.join(map(repr, offered))}.",
        where=f"objectives.{name}, {user_source()}",
        fix='gradient="dreg" where the guide is reparameterised, else gradient="plain"',
    )
