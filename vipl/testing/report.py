"""What a check found, as plain data, and as a table that a person can read."""

from __future__ import annotations

import collections
import dataclasses
import html

from vipl.testing.verdict import NOT_SHOWN, REFUSED, RIGHT, WRONG

_COLUMNS = ("", "family", "context", "verdict", "detail", "seconds")


@dataclasses.dataclass(frozen=True)
class Row:
    """One cell of a report.

    Attributes:
        family: name of the family of distributions.
        context: name of the context.
        verdict: "right", "refused", "not shown" or "wrong".
        detail: what was measured.
        seconds: how long it took.
        fine: whether the verdict is the one that is due.

    Example:
        >>> from vipl.testing import Row
        >>> Row("bernoulli", "plain", "right", "0.3 standard errors", 1.2, fine=True).cells()
        ('', 'bernoulli', 'plain', 'right', '0.3 standard errors', '1.2')
    """

    family: str
    context: str
    verdict: str
    detail: str
    seconds: float
    fine: bool

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        mark = "" if self.fine else "BAD"
        return (mark, self.family, self.context, self.verdict, self.detail, f"{self.seconds:.1f}")


@dataclasses.dataclass(frozen=True)
class Report:
    """What `check_estimator` found. Printing it shows a table.

    Attributes:
        estimator: the estimator, as text.
        rows: a `Row` for every cell.
        refused: `{family: why}` of families that were left out because the estimator refuses them.

    Example:
        >>> from vipl.testing import Report, Row
        >>> Report("Mine()", (Row("bernoulli", "plain", "right", "", 1.2, fine=True),)).counts
        {'right': 1, 'refused': 0, 'not shown': 0, 'wrong': 0}
    """

    estimator: str
    rows: tuple[Row, ...]
    refused: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many cells have each verdict."""
        found = collections.Counter(row.verdict for row in self.rows)
        return {word: found[word] for word in (RIGHT, REFUSED, NOT_SHOWN, WRONG)}

    @property
    def failures(self) -> tuple[Row, ...]:
        """The cells whose verdict is not the one that is due."""
        return tuple(row for row in self.rows if not row.fine)

    def raise_for_failures(self) -> None:
        """Raise an AssertionError that lists the failing cells, if there are any."""
        if not self.failures:
            return
        lines = [f"  {row.family}, {row.context}: {row.verdict}: {row.detail}" for row in self.failures]
        what = f"{self.estimator} fails in {len(lines)} of {len(self.rows)} cells:"
        raise AssertionError("\n".join([what, *lines]))

    @property
    def notes(self) -> list[str]:
        """The totals, and what was left out, in sentences."""
        totals = ", ".join(f"{count} {word}" for word, count in self.counts.items())
        seconds = sum(row.seconds for row in self.rows)
        lines = [f"{self.estimator}: {totals}; {len(self.failures)} failing; {seconds:.0f} s"]
        reasons: dict[str, list[str]] = {}
        for family, why in self.refused.items():
            reasons.setdefault(why, []).append(family)
        return lines + [f"left out: {', '.join(families)}. {why}" for why, families in reasons.items()]

    def __repr__(self):
        cells = [_COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(_COLUMNS))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
        lines.insert(1, "  ".join("-" * w for w in widths).rstrip())
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self):
        def row(tag, cells):
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row("td", r.cells()) for r in self.rows)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<table>{row('th', _COLUMNS)}{body}</table>{notes}"
