"""A file holds one idea: none over 300 lines, and at least four of five in the package within 150."""

import pytest
from architecture.sources import ROOT, files

LONGEST = 300
USUAL = 150
SHARE_OF_USUAL = 0.8


def too_long(lengths):
    """Name the files that are over the limit."""
    return [f"{name}: {length} lines" for name, length in lengths.items() if length > LONGEST]


def share_of_usual(lengths):
    """Give the share of files that are within the usual length."""
    return sum(length <= USUAL for length in lengths.values()) / len(lengths)


def measure(*folders):
    return {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files(*folders)}


@pytest.mark.parametrize("folder", ["vipl", "tests", "benchmarks", "examples", "notebooks"])
def test_no_file_is_too_long(folder):
    wrong = too_long(measure(folder))
    assert not wrong, "\n".join(wrong)


def test_most_files_are_short():
    lengths = measure("vipl")
    over = sorted(((n, name) for name, n in lengths.items() if n > USUAL), reverse=True)
    assert share_of_usual(lengths) >= SHARE_OF_USUAL, f"{len(over)} of {len(lengths)} are over {USUAL}: {over}"


def test_the_checks_see_long_files():
    assert too_long({"a.py": 301, "b.py": 300}) == ["a.py: 301 lines"]
    assert share_of_usual({"a.py": 151, "b.py": 150}) == 0.5
    assert measure("vipl"), "no file was found at all"
