"""Pages of the documentation: their Python blocks, run in order, print what is shown below them."""

import contextlib
import io
import pathlib
import re

DOCS = pathlib.Path(__file__).parents[1] / "docs"


def blocks(page):
    """List the Python blocks of a page, each with the output shown below it, if any."""
    return re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", (DOCS / page).read_text(), re.DOTALL)


def without_numbers(text):
    """Split at white space, with numbers, seconds among them, replaced."""
    return re.sub(r"-+", "-", re.sub(r"[-+]?\d[\d.]*", "#", text)).split()


def run(page):
    """Run the blocks of a page, check what they print, and return what they define."""
    namespace = {"__name__": "page"}
    for code, shown in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        assert without_numbers(printed.getvalue()) == without_numbers(shown)
    return namespace
