"""Which term of a model is to blame where all importance weights are zero."""

from __future__ import annotations

import jax
import numpy as np

from vipl.tracing.simulate import simulate
from vipl.tracing.site_terms import site_terms
from vipl.tracing.survey import survey


def zero_term(model, guide, key) -> str:
    """Name the first site or factor of the model whose log density is −inf at a draw of the guide, and its line.

    Empty where none is, or where the terms are estimates.
    """
    surveyed = survey(model)
    if surveyed.indices or surveyed.estimating:
        return ""
    sources = {located.statement.address: located.statement for located in surveyed.staged.statements}
    for address, log_prob in _terms(model, guide, key).items():
        bad = np.isneginf(np.asarray(log_prob))
        if bad.any():
            index = tuple(int(i) for i in np.argwhere(bad)[0])
            return f"the log density of {sources[address]}, is -inf" + (f" at index {index}" if index else "")
    return ""


@jax.jit
def _terms(model, guide, key) -> dict:
    return {address: log_prob for address, (_, log_prob) in site_terms(model, simulate(guide, key)).items()}
