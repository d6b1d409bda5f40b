"""Marks the log density of a choice in an objective, so that the transformation knows it for what it is."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.statement import Statement, statement_p


@dataclasses.dataclass(frozen=True, eq=False)
class DensityStatement(Statement):
    """The log density of the choice whose token is `of`; the operand is the density, and so is the value."""

    of: object = None

    noun = "log density of"


def mark_own_density(log_prob, statement):
    """Return the log density of a choice, marked as such.

    Args:
        log_prob: array, lanes in front.
        statement: the choice.
    """
    log_prob = jnp.asarray(log_prob)
    mark = DensityStatement(
        statement.address, statement.source, statement.depth, log_prob.shape, log_prob.dtype, of=statement.token
    )
    return statement_p.bind(log_prob, statement=mark)
