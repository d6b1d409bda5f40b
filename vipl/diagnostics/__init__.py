"""Checks on a fitted posterior: pure functions of arrays that know no program and no guide.

>>> from vipl import diagnostics
>>> diagnostics.psis([-0.1] * 100).status
'good'
"""

from vipl.diagnostics.psis import PSISResult, psis

__all__ = ["PSISResult", "psis"]
