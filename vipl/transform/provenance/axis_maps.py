"""Where the axes of operands go in a result: one rule for each JAX primitive.

A rule takes an equation and returns, for each operand, a tuple with one entry for each of the operand's
axes: the axis of the result along which it runs (`Along`), or `JOINT` where elements along it are mixed or
moved. An axis that runs along one of the result has its size. Primitives without a rule are joint in
everything. All results of an equation share the rule, so where their shapes differ, it speaks of the axes
that they share.
"""

from __future__ import annotations

from vipl.transform.provenance.combining import COMBINING
from vipl.transform.provenance.elementwise import ELEMENTWISE
from vipl.transform.provenance.indexing import INDEXING
from vipl.transform.provenance.moving import MOVING

RULES = {**ELEMENTWISE, **MOVING, **INDEXING, **COMBINING}
