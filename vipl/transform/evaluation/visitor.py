"""What the static pass needs to know of the statements inside a construct."""

from __future__ import annotations

import jax

from vipl.lang.plate import IndicesStatement
from vipl.tracing.own_density import DensityStatement
from vipl.transform.evaluation.choose import choice_dependence
from vipl.transform.evaluation.terms import Term
from vipl.transform.provenance.alignment import Along


class Visitor:
    """Says, during the static pass, what a choice inside a construct depends on.

    Args:
        plan: the plan.
    """

    def __init__(self, plan):
        self.plan = plan

    def __call__(self, eqn, operands, context):
        """Return the dependence of a statement's value."""
        statement = eqn.params["statement"]
        if isinstance(statement, DensityStatement):
            return operands[0]
        if isinstance(statement, IndicesStatement):
            return {}
        leaves = [
            Term(jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype), dependence=dependence)
            for atom, dependence in zip(eqn.invars, operands, strict=True)
        ]
        front = tuple(Along(marker) for marker in context.around)
        batch = len(statement.full_shape) - statement.event_dim
        own = context.path if self.plan.is_weighted(context.path) else None
        return choice_dependence(statement, leaves, own, batch, front)

    def is_several(self, choice, path) -> bool:
        """Return whether a choice under a path has several values."""
        return self.plan.is_several(choice, path)
