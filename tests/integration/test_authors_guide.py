"""The author's guide to estimators: its code runs, and prints what the page shows."""

import contextlib
import io
import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "writing-an-estimator.md"


def blocks():
    """List the Python blocks of the page, each with the output shown below it, if any."""
    return re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE.read_text(), re.DOTALL)


def without_numbers(text):
    """Split at white space, with numbers, seconds among them, replaced."""
    return re.sub(r"-+", "-", re.sub(r"-?\d[\d.]*", "#", text)).split()


def test_the_example_is_short():
    assert len(blocks()[0][0].splitlines()) < 30


@pytest.mark.statistical
@pytest.mark.slow
def test_the_page_prints_what_it_shows():
    namespace = {"__name__": "page"}
    for code, shown in blocks():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        assert without_numbers(printed.getvalue()) == without_numbers(shown)
