"""Checks on a fitted posterior and on the gradients of an objective.

`psis` is a pure function of arrays that knows no program and no guide; `audit` draws from an expectation.

>>> from vipl import diagnostics
>>> diagnostics.psis([-0.1] * 100).status
'good'
"""

from vipl.diagnostics.psis import PSISResult, psis

__all__ = ["PSISResult", "psis"]
