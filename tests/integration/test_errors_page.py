"""The page on errors: its examples print what it shows, and every class of error has its section."""

import inspect

import pytest
from pages import DOCS, run

import vipl

PAGE = "errors.md"


@pytest.mark.slow
def test_the_page_prints_what_it_shows():
    run(PAGE)


def test_every_error_has_its_section_and_example():
    classes = {
        name for name in vipl.__all__ if inspect.isclass(value := getattr(vipl, name)) and issubclass(value, Exception)
    }
    errors = {name for name in classes if issubclass(getattr(vipl, name), vipl.VIPLError)} - {"VIPLError"}
    sections = (DOCS / PAGE).read_text().split("\n## ")[1:]
    named = {section.split("\n")[0]: section for section in sections}
    assert errors <= named.keys()
    for name in errors - {"MissingPackageError"}:
        assert f"```text\n{name}" in named[name], name
    for name in classes - errors:
        assert f"`vipl.{name}`" in (DOCS / PAGE).read_text()
