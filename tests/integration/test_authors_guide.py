"""The author's guide to estimators: its code runs, and prints what the page shows."""

import pytest
from pages import blocks, run

PAGE = "writing-an-estimator.md"


def test_the_example_is_short():
    assert len(blocks(PAGE)[0][0].splitlines()) < 30


@pytest.mark.statistical
@pytest.mark.slow
def test_the_page_prints_what_it_shows():
    run(PAGE)
