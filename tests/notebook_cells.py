"""Notebooks in the percent format: their cells, and what these print, return and draw."""

import ast
import contextlib
import dataclasses
import io
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell: its kind, "markdown" or "code", its text, and the line of the file that the text begins in."""

    kind: str
    text: str
    line: int


@dataclasses.dataclass(frozen=True)
class Result:
    """What a code cell left: text that it printed, the value of its last line, or None, and the open figures."""

    printed: str
    value: object
    figures: tuple


def cells(source: str) -> list[Cell]:
    """Split the text of a notebook at its `# %%` lines; what is before the first of them is the header."""
    found = []
    lines = source.split("\n")
    starts = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        kind = "markdown" if lines[start].strip() == "# %% [markdown]" else "code"
        text = "\n".join(lines[start + 1 : end]).rstrip()
        found.append(Cell(kind, re.sub(r"(?m)^# ?", "", text) if kind == "markdown" else text, start + 2))
    return found


def run(path: pathlib.Path):
    """Run a notebook, in order and in a namespace of its own; yields each cell and, of code, its `Result`."""
    namespace = {"__name__": "notebook"}
    for cell in cells(path.read_text(encoding="utf-8")):
        yield cell, _result(cell, str(path.relative_to(ROOT)), namespace) if cell.kind == "code" else None


def _result(cell, name, namespace):
    import matplotlib.pyplot as plt

    plt.close("all")
    tree = ast.increment_lineno(ast.parse(cell.text, name), cell.line - 1)
    last = tree.body.pop().value if isinstance(tree.body[-1], ast.Expr) else ast.Constant(None)
    last = ast.fix_missing_locations(ast.Expression(last))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, name, "exec"), namespace)
        value = eval(compile(last, name, "eval"), namespace)
    return Result(printed.getvalue(), value, tuple(map(plt.figure, plt.get_fignums())))
