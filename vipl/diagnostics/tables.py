"""Tables of text cells, for a terminal and for a notebook.

>>> print(as_text(["", "mean"], [["mu", "1.0"], ["theta[0]", "-2.25"]]))
           mean
mu          1.0
theta[0]  -2.25
"""

from __future__ import annotations

import html
import textwrap


def as_text(columns, rows) -> str:
    """Return a table: the first column to the left, all others to the right."""
    cells = [list(columns), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = []
    for row in cells:
        others = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *others]).rstrip())
    return "\n".join(lines)


def as_html(columns, rows) -> str:
    """Return the same as HTML; all text is escaped."""

    def line(tag, cells):
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table><thead>{line('th', columns)}</thead><tbody>{''.join(line('td', r) for r in rows)}</tbody></table>"


def titled(title: str, table: str, sentences=()) -> str:
    """Return a table of HTML with a title above and sentences below, which are escaped."""
    below = "".join(f"<li>{html.escape(one)}</li>" for one in sentences)
    above = f"<p>{html.escape(title)}</p>" if title else ""
    return f"{above}{table}" + (f"<ul>{below}</ul>" if below else "")


def sentence(text: str, indent: str = "  ") -> str:
    """Return a sentence as a list item, in lines of at most 100 characters.

    >>> print(sentence("One thing."))
      - One thing.
    """
    return textwrap.fill(text, 100, initial_indent=f"{indent}- ", subsequent_indent=f"{indent}  ")


def short(number) -> str:
    """Return a number in four significant digits.

    >>> short(1234.5), short(0.000123456), short(float("nan"))
    ('1234', '0.0001235', 'nan')
    """
    return f"{float(number):.4g}"
