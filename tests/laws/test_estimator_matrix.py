"""Every estimator is unbiased, in value and gradient, wherever its choice stands; or refuses by name.

`PYTHONPATH=tests python -m matrix` prints the same cells with counts. A commit's run takes those in which every
estimator meets every context, its distributions taking turns; a long run takes them all.
"""

import pytest
from helpers import LONG
from matrix.cells import SERVES, cells, run
from matrix.contexts import CONTEXTS
from matrix.judgement import REFUSED, RIGHT

CELLS = [cell for cell in cells() if LONG or cell.usual]


@pytest.mark.statistical
@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_unbiased_or_refused_by_name(cell, x64):
    verdict = run(cell)
    if cell.due_refusal is None:
        assert verdict.word == RIGHT, f"{verdict.word}: {verdict.detail}"
    else:
        assert (verdict.word, verdict.detail) == (REFUSED, cell.due_refusal)


def test_nothing_is_left_out_of_a_commits_run():
    usual = [cell for cell in cells() if cell.usual]
    for name, (_, families) in SERVES.items():
        mine = [cell for cell in usual if cell.estimator_name == name]
        assert {cell.family.name for cell in mine} == set(families.split())
        assert {cell.context.name for cell in mine} == set(CONTEXTS)
