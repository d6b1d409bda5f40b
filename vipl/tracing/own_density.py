"""Names the log densities in an objective, so that the transformation knows them for what they are."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.statement import Statement, bind_again


@dataclasses.dataclass(frozen=True, eq=False)
class DensityStatement(Statement):
    """A log density; the first operand is the density, and so is the value.

    The other operands are what it was computed from, so that a pass over the objective can look past the formula.

    Attributes:
        label: whose it is, in words.
        of: the token of the choice whose own density it is, or None.
    """

    label: str = ""
    of: object = None

    noun = "log density of"
    counts = False


def mark_density(log_prob, made_from, statement, program_name: str, of=None):
    """Return the log density of a site, marked as such.

    Args:
        log_prob: array, lanes in front.
        made_from: the leaves of the distribution, and the value.
        statement: the site.
        program_name: whose site it is.
        of: the token of the choice, if the density is of a choice at its own draw.
    """
    log_prob = jnp.asarray(log_prob)
    label = f"log {program_name}({statement.address})"
    mark = DensityStatement(statement.address, statement.source, 0, log_prob.shape, log_prob.dtype, label=label, of=of)
    return bind_again([log_prob, *made_from], mark)
