"""Every fault of the table is answered: named, located and with its remedy, or it works."""

import pytest

from .table import commit, in_order


@pytest.mark.parametrize("fault", in_order(), ids=str)
def test_fault(fault):
    outcome = commit(fault)
    assert not outcome.problems, "\n".join([*outcome.problems, outcome.word, outcome.message])
