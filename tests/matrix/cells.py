"""The cells of the matrix: which estimator serves which families, and which cells a run takes.

The environment variable `VIPL_CELLS` says how many: "usual", the default, or "few", as `make test-newest` sets it. A
long run (`VIPL_LONG=1`) takes all. The rest is `vipl.testing`.
"""

from __future__ import annotations

import collections
import dataclasses
import os

import jax.numpy as jnp
from helpers import LONG
from zoo import FAMILIES

from matrix.contexts import CONTEXTS
from matrix.judgement import BATCH, MOST_DRAWS, Verdict
from vipl import estimators
from vipl.testing import cell as one_cell
from vipl.testing.cell import flat

__all__ = ["FRACTION", "SERVES", "Cell", "asked_for", "cells", "exact_and_resolution", "few", "flat", "run"]

FRACTION = 0.02 if LONG else 0.1  # of the gradient: the bias that must be seen
FEWEST = 4  # of an estimator, where few are asked for

SERVES = {
    "Reparam": (estimators.Reparam(), "normal gamma beta log_normal uniform dirichlet"),
    "ScoreFunction": (
        estimators.ScoreFunction(),
        "bernoulli categorical poisson normal geometric binomial bernoulli_pair",
    ),
    "Enumerate": (estimators.Enumerate(), "bernoulli categorical binomial one_hot"),
    "MeasureValued": (
        estimators.MeasureValued(),
        "bernoulli categorical normal poisson exponential gamma_rate geometric binomial bernoulli_pair",
    ),
    "MeasureValuedOne": (estimators.MeasureValued("one"), "bernoulli_pair normal"),
    "LeaveOneOut": (estimators.LeaveOneOut(3), "bernoulli categorical normal poisson"),
    "Antithetic": (estimators.Antithetic(), "normal log_normal uniform"),
    "QuasiMonteCarlo": (estimators.QuasiMonteCarlo(4), "normal log_normal uniform"),
    "Systematic": (estimators.Systematic(3), "bernoulli categorical bernoulli_pair"),
    "ARM": (estimators.ARM(), "bernoulli bernoulli_pair"),
    "DisARM": (estimators.DisARM(), "bernoulli bernoulli_pair"),
    "SumAndSample": (estimators.SumAndSample(1), "bernoulli categorical binomial"),
    "UnorderedSet": (estimators.UnorderedSet(2), "bernoulli categorical binomial"),
    "StochasticDerivative": (
        estimators.StochasticDerivative(),
        "bernoulli categorical poisson geometric binomial bernoulli_pair",
    ),
    "ByComponent": (estimators.ByComponent(), "normal_mixture"),
    "ByComponentScore": (estimators.ByComponent("score"), "normal_mixture"),
    "Implicit": (estimators.Implicit(), "normal_mixture"),
    "REBAR": (estimators.REBAR(), "bernoulli bernoulli_pair one_hot"),
    "RELAX": (estimators.RELAX(lambda scale, s: scale * jnp.sin(s), 0.7, scale=0.4), "bernoulli"),
}


@dataclasses.dataclass(frozen=True)
class Cell(one_cell.Cell):
    """One cell; `usual` are those of every commit's run."""

    usual: bool


def exact_and_resolution(cell: Cell):
    """Return the exact vector of a cell, and the bias that must be seen in each of its elements."""
    return one_cell.exact_and_resolution(cell, FRACTION)


def run(cell: Cell, *, program=None) -> Verdict:
    """Judge a cell; with `program`, that in place of its context's."""
    return one_cell.run(cell, program=program, fraction=FRACTION, batch=BATCH, most_draws=MOST_DRAWS)


def asked_for() -> list[Cell]:
    """List the cells of this run."""
    amount = "all" if LONG else os.environ.get("VIPL_CELLS", "usual")
    if amount == "few":
        return few()
    return {"usual": [cell for cell in cells() if cell.usual], "all": cells()}[amount]


def cells() -> list[Cell]:
    """List all cells. In each estimator's usual ones every context occurs, with its families taking turns."""
    found = []
    for name, (estimator, families) in SERVES.items():
        families = families.split()
        for turn, context in enumerate(CONTEXTS.values()):
            for number, family in enumerate(families):
                usual = turn % len(families) == number
                found.append(Cell(name, estimator, FAMILIES[family], context, usual))
    return found


def few() -> list[Cell]:
    """List every estimator's usual cells with every one of its families once, or in turn until there are four.

    Each family stands in that context which has had the fewest turns so far, of those where a gradient is due.
    """
    found, turns = {}, collections.Counter()
    usual = [cell for cell in cells() if cell.usual and cell.due_refusal is None]
    for name, (_, families) in SERVES.items():
        families = families.split()
        for number in range(max(FEWEST, len(families))):
            here = (name, families[number % len(families)])
            free = [c for c in usual if (c.estimator_name, c.family.name) == here and str(c) not in found]
            cell = min(free, key=lambda cell: turns[cell.context.name])
            found[str(cell)] = cell
            turns[cell.context.name] += 1
    return list(found.values())
