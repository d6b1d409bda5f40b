"""The notebooks as pages: run each, and write it with its outputs into `docs/notebooks` for myst-nb to show.

`docs/conf.py` starts this before each build. A notebook is run again only when it or vipl has changed since: the page
holds a digest of both. No kernel and no converter is needed; `tests/notebook_cells.py`, by which the test command runs
the notebooks, splits and runs them here too.
"""

import base64
import hashlib
import io
import json
import pathlib
import sys

import matplotlib

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ROOT / "docs" / "notebooks"
sys.path.insert(0, str(ROOT / "tests"))

from notebook_cells import NOTEBOOKS, run  # noqa: E402


def digest(path: pathlib.Path) -> str:
    """Return a digest of all that the page of a notebook is made from."""
    sources = [
        path,
        pathlib.Path(__file__),
        ROOT / "tests" / "notebook_cells.py",
        *sorted((ROOT / "vipl").rglob("*.py")),
    ]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def picture(figure) -> str:
    """Return a figure as PNG in base 64."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return base64.b64encode(file.getvalue()).decode()


def outputs(result) -> list[dict]:
    """List what a code cell left, in the format of Jupyter."""
    found = []
    if result.printed:
        found.append({"output_type": "stream", "name": "stdout", "text": result.printed})
    if result.value is not None:
        data = {"text/plain": repr(result.value)}
        found.append({"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None})
    for figure in result.figures:
        found.append({"output_type": "display_data", "data": {"image/png": picture(figure)}, "metadata": {}})
    return found


def page(path: pathlib.Path, made_from: str) -> dict:
    """Run a notebook, and return it with its outputs in the format of Jupyter; links are as from the page."""
    entries = []
    for cell, result in run(path):
        entry = {"cell_type": cell.kind, "metadata": {}, "source": cell.text}
        if result is None:
            entry["source"] = cell.text.replace("](../docs/", "](../").replace(".py)", ".ipynb)")
        else:
            entry |= {"execution_count": None, "outputs": outputs(result)}
        entries.append(entry)
    metadata = {"made_from": made_from, "language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": entries}


def main() -> None:
    """Write the pages that are not there or out of date."""
    matplotlib.use("Agg")
    PAGES.mkdir(exist_ok=True)
    for path in NOTEBOOKS:
        target, made_from = PAGES / f"{path.stem}.ipynb", digest(path)
        if target.exists() and json.loads(target.read_text())["metadata"]["made_from"] == made_from:
            continue
        print(f"running {path.relative_to(ROOT)}", flush=True)
        target.write_text(json.dumps(page(path, made_from)))


if __name__ == "__main__":
    main()
