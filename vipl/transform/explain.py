"""The plan of an expectation as a table that a person can read, with plain data underneath."""

from __future__ import annotations

import dataclasses
import html
import math

from vipl.estimators import Enumerate, Reparam
from vipl.transform.plan import Plan
from vipl.transform.provenance.alignment import JOINT


@dataclasses.dataclass(frozen=True)
class ChoiceRow:
    """One choice of a plan.

    Attributes:
        address: its address.
        distribution: name of its distribution.
        shape: shape of its value.
        estimator: its estimator, as text.
        reason: why this estimator.
        num_values: how many values the estimator returns: the length of its sample axis.
        alignment: how its elements line up with the costs, in words.
        credited: the terms of the objective that are credited to it, in words; all of them for a pathwise choice.
        cost: how many times the costliest of these terms is evaluated.
        source: the user's line.
    """

    address: str
    distribution: str
    shape: tuple[int, ...]
    estimator: str
    reason: str
    num_values: int
    alignment: str
    credited: tuple[str, ...]
    cost: int
    source: str


@dataclasses.dataclass(frozen=True)
class Explanation:
    """A plan in words. Printing it shows a table.

    Attributes:
        choices: a `ChoiceRow` for every choice, in program order.
        num_terms: the number of terms of the objective that depend on weighted choices.
        num_evaluations: how many evaluations of terms one estimate takes.
    """

    choices: tuple[ChoiceRow, ...]
    num_terms: int
    num_evaluations: int

    columns = ("address", "distribution", "shape", "estimator", "values", "alignment", "credited with", "why")

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the table, as text."""
        return [
            (
                c.address,
                c.distribution,
                str(c.shape),
                c.estimator,
                str(c.num_values),
                c.alignment,
                ", ".join(c.credited) or "its own derivative",
                c.reason,
            )
            for c in self.choices
        ]

    @property
    def summary(self) -> str:
        """The totals, in a sentence."""
        return (
            f"{len(self.choices)} choices, {self.num_terms} terms with weights, "
            f"{self.num_evaluations} evaluations of terms for one estimate"
        )

    def __repr__(self):
        cells = [self.columns, *self.rows()]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
        lines.insert(1, "  ".join("-" * w for w in widths))
        return "\n".join([*lines, self.summary])

    def _repr_html_(self):
        def row(tag, cells):
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row("td", cells) for cells in self.rows())
        return f"<table>{row('th', self.columns)}{body}</table><p>{html.escape(self.summary)}</p>"


def explain_plan(plan: Plan) -> Explanation:
    """Return a plan in words."""
    weighted = [term for term in plan.terms if term.dependence]
    evaluations = [math.prod(plan.sample_sizes[c] for c in term.samples) for term in plan.terms]
    rows = [_row(plan, located) for located in plan.random if located.path in plan.estimators]
    return Explanation(tuple(rows), len(weighted), sum(evaluations) if evaluations else 1)


def _row(plan: Plan, located) -> ChoiceRow:
    statement, path = located.statement, located.path
    estimator = plan.estimators[path]
    terms = [term for term in plan.terms if path in term.dependence]
    costs = [math.prod(plan.sample_sizes[c] for c in term.samples) for term in terms]
    return ChoiceRow(
        statement.address,
        statement.distribution_name,
        located.full_shape,
        repr(estimator),
        _reason(plan, located, estimator),
        plan.sample_sizes.get(path, 1),
        _alignment_in_words(path, terms),
        tuple(label for term in terms for label in term.labels or ("an unnamed term",)),
        max(costs, default=1),
        str(statement.source),
    )


def _reason(plan, located, estimator) -> str:
    statement = located.statement
    if not plan.is_automatic(located.path):
        return "asked for; BIASED" if estimator.biased else "asked for"
    if located.path in plan.jumped:
        pathwise = "ByComponent" if statement.components else "Reparam"
        return f"{pathwise} would be biased: {plan.jumped[located.path]}"
    if isinstance(estimator, Reparam):
        return "its sampler is differentiable"
    if statement.components and estimator.pathwise:
        return f"a mixture of {statement.components} components with differentiable samplers"
    if isinstance(estimator, Enumerate):
        return f"its support has {statement.support_size} points"
    if statement.support_size is None:
        return "discrete, without a finite support that is known" if statement.discrete else "no differentiable sampler"
    if located.path in plan.unfit:
        return f"too many values to enumerate: {plan.unfit[located.path]}"
    return "its support is too large to enumerate"


def _alignment_in_words(path, terms) -> str:
    alignments = [term.dependence[path] for term in terms]
    if not alignments or not alignments[0]:
        return "-"
    words = []
    for axis in range(len(alignments[0])):
        entries = [alignment[axis] for alignment in alignments]
        if any(e is JOINT for e in entries):
            words.append(f"axis {axis} joint")
        elif any(e.causal for e in entries):
            words.append(f"axis {axis} causal")
        else:
            words.append(f"axis {axis} aligned")
    return ", ".join(words)
