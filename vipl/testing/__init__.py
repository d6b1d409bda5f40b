"""Testing of estimators: a new one is put through the law of estimators in one call.

    def test_my_estimator():
        vipl.testing.check_estimator(MyEstimator())

The way of the data: `families` (distributions with exact expectations) and `contexts` (objective programs with exact
twins), `served` (which of them an estimator is put through), `cell` (one of each), `judgement` with `moments` and
`verdict` (how a cell is judged), `report`, and `check`, which does it all. `strategy` says which estimators serve a
distribution.
"""

from vipl.testing.check import check_estimator
from vipl.testing.contexts import CONTEXTS, Context
from vipl.testing.families import FAMILIES, Family
from vipl.testing.report import Report, Row
from vipl.testing.strategy import Strategy, strategy

__all__ = ["CONTEXTS", "FAMILIES", "Context", "Family", "Report", "Row", "Strategy", "check_estimator", "strategy"]
