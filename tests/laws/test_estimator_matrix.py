"""Every estimator is unbiased, in value and gradient, wherever its choice stands; or refuses by name.

`PYTHONPATH=tests python -m matrix` prints the same cells with counts. On the oldest Python and JAX a commit's run takes
the usual cells, in which every estimator meets every context, its distributions taking turns. On the newest it takes
few of those: every estimator with every one of its distributions, and every context. A long run takes all, on both.
"""

import collections

import pytest
from matrix.cells import FEWEST, SERVES, asked_for, cells, few, run
from matrix.contexts import CONTEXTS
from matrix.judgement import REFUSED, RIGHT


@pytest.mark.statistical
@pytest.mark.slow
@pytest.mark.usefixtures("quick_compilation")
@pytest.mark.parametrize("cell", asked_for(), ids=str)
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


def test_the_few_are_balanced():
    chosen = few()
    assert {str(cell) for cell in chosen} <= {str(cell) for cell in cells() if cell.usual and cell.due_refusal is None}
    for name, (_, families) in SERVES.items():
        mine = [cell for cell in chosen if cell.estimator_name == name]
        assert {cell.family.name for cell in mine} == set(families.split())
        assert len({cell.context.name for cell in mine}) >= FEWEST
    times = collections.Counter(cell.context.name for cell in chosen)
    assert set(times) == set(CONTEXTS)
    assert max(times.values()) <= 2 * min(times.values())
