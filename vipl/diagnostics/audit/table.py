"""An audit as a table that a person can read."""

from __future__ import annotations

import html
import math

COLUMNS = ("address", "estimator", "variance", "cost", "bias", "against", "recommended", "efficiency")
_HEAVY = "not trustworthy"


def as_text(audit) -> str:
    """Return the table of an audit, and its notes."""
    cells = [COLUMNS, *map(_row, audit.choices)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join([*lines, *_notes(audit)])


def as_html(audit) -> str:
    """Return the same as HTML."""

    def row(tag, cells):
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row("td", _row(choice)) for choice in audit.choices)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(audit))
    return f"<table>{row('th', COLUMNS)}{body}</table>{notes}"


def in_words(bias) -> str:
    """Return a verdict with its size, or with the smallest bias that would have been seen."""
    if bias.verdict == "biased":
        size = "" if math.isinf(bias.relative_size) else f" by {_percent(bias.relative_size)}"
        return f"biased{size} (z = {abs(bias.z):.3g})"
    if not bias.resolution:
        return bias.verdict
    seen = "at zero gradient" if math.isinf(bias.resolution) else f"< {_percent(bias.resolution)}"
    return f"{bias.verdict} ({seen})"


def _row(choice) -> tuple[str, ...]:
    bias = choice.bias
    recommended = "keep" if choice.recommendation is None else _name(repr(choice.recommendation))
    return (
        choice.address,
        _name(choice.estimator),
        _HEAVY if choice.variance_share is None else _percent(choice.variance_share),
        "-" if choice.cost_share is None else _percent(choice.cost_share),
        "-" if bias is None else in_words(bias),
        "-" if bias is None else _name(bias.reference),
        "-" if bias is None else recommended,
        "-" if choice.efficiency is None else f"{choice.efficiency:.3g}×",
    )


def _notes(audit) -> list[str]:
    """Return the totals, and the remarks, in sentences."""
    numbers = sum(g.size for g in audit.gradient.values())
    heavy = f" ({_HEAVY}: one draw carries {audit.largest_share:.0%})" if audit.largest_share > 0.05 else ""
    lines = [
        f"{audit.name}: value {audit.value:.6g} ± {audit.value_se:.2g}; gradient of {numbers} numbers, "
        f"variance {audit.variance:.4g}{heavy}; {audit.seconds * 1e6:.3g} µs per gradient; {audit.num_draws} draws"
    ]
    for choice in audit.choices:
        remarks = (choice.bias.remark if choice.bias else "", choice.remark)
        lines += [f"{choice.address}: {remark}" for remark in remarks if remark]
    return lines


def _name(estimator: str) -> str:
    return estimator.replace("baseline=None", "")


def _percent(share: float) -> str:
    """Return a share in words, with two digits."""
    return f"{float(f'{100 * share:.2g}'):.6g} %"
