"""The density of a guide whose derivative keeps to the path: through the draws, not through the parameters."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jax import lax

from vipl._core.errors import EstimatorError
from vipl.lang.factor import FactorStatement
from vipl.tracing.log_density import log_density
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def path_log_density(guide, trace: Trace):
    """Return log q(z) of a draw without its score ∂ log q(z; θ)/∂θ at the value drawn, whose mean is zero.

    The score is taken out by −(M − 1), M = exp(ℓ − sg ℓ), with ℓ = log q at the stopped value: its value is zero, and
    its derivatives have mean zero at every order. Parameters that the guide reaches by closure count too.

    Args:
        guide: a Program whose choices are all reparameterised.
        trace: a draw from it.

    Raises:
        EstimatorError: the guide has a factor, so that its density is not that of its draws.
    """
    _refuse_factors(guide)
    stopped = dataclasses.replace(trace, choices=lax.stop_gradient(trace.choices))
    density = log_density(guide, stopped)
    here = lax.stop_gradient(density)
    return trace.log_density - jnp.expm1(jnp.where(jnp.isfinite(here), density - here, 0.0))


def _refuse_factors(guide) -> None:
    for located in survey(guide).of_kind(FactorStatement):
        raise EstimatorError(
            f"the guide has a factor, {located.statement.address!r}: its density is not that of its draws, "
            "whose score could be dropped.",
            where=located.statement,
            fix="remove vipl.factor from the guide",
        )
