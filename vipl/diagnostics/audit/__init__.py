"""`audit`: what the gradient of an expectation costs, how it varies, and whether it is biased, choice by choice.

The empirical companion of `objective.explain(…)`. The way of the data: `arguments` (what is differentiated),
`alternatives` (which estimators could serve), `variant` and `sampling` (draws of gradients, compiled), `measure` and
`draws` (their moments and seconds), `effects` (which choice the variance comes from), `comparison`, `bias` and
`differences` (the tests), `recommend`, `choices` and `open_questions` (what follows for a choice), `rows`, `report`
and `table`.
"""

from vipl.diagnostics.audit.audit import audit
from vipl.diagnostics.audit.report import Alternative, Audit, Bias, ChoiceAudit

__all__ = ["Alternative", "Audit", "Bias", "ChoiceAudit", "audit"]
