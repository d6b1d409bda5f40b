"""Write `distributions.md`: which estimators serve each distribution, from the distributions' instances in the tests.

    python docs/distribution_table.py

A test holds the page against this script.
"""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from distribution_registry import CASES  # noqa: E402

from vipl import estimators  # noqa: E402
from vipl.testing import strategy  # noqa: E402

PAGE = HERE / "distributions.md"
TOP = """# Which estimator serves which distribution

Every class of `vipl.distributions`: what `Auto` takes for a choice of it, where the objective is smooth in the value
and treats the elements of a plate separately, why, and what else serves it. All parameters count as differentiated.
Where the objective jumps, `Auto` goes on to the next that minds no jump, `Enumerate` or `ScoreFunction`; `explain` says
so. `vipl.testing.strategy(distribution)` returns a row for an instance, and why the others refuse. Estimators that are
biased are left out.

The gradient of every row's estimator is compared with finite differences of the expectation by
`tests/statistical/distributions/test_strategies.py`. This page is made by `python docs/distribution_table.py`.

| distribution | `Auto` takes | why | also |
|---|---|---|---|
"""


def page() -> str:
    """Return the text of the page."""
    return TOP + "".join(_row(name, CASES[name]) for name in sorted(CASES, key=str.lower) if "-" not in name)


def _row(name, case) -> str:
    found = strategy(case.make())
    others = [other for other in found.served if other != found.picked and not getattr(estimators, other).biased]
    picked = f"`{found.picked}`" if found.picked else "refused"
    return f"| `{name}` | {picked} | {found.why} | {', '.join(f'`{other}`' for other in others)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
