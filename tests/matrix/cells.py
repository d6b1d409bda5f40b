"""The cells of the matrix: which estimator serves which families, what each context must answer."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from helpers import LONG
from zoo import FAMILIES, Family

import vipl
from matrix.contexts import CONTEXTS, Context
from matrix.judgement import Verdict, judge
from vipl import estimators

FRACTION = 0.02 if LONG else 0.1  # of the gradient: the bias that must be seen

SERVES = {
    "Reparam": (estimators.Reparam(), "normal gamma beta log_normal uniform dirichlet"),
    "ScoreFunction": (
        estimators.ScoreFunction(),
        "bernoulli categorical poisson normal geometric binomial bernoulli_pair",
    ),
    "Enumerate": (estimators.Enumerate(), "bernoulli categorical binomial"),
    "MeasureValued": (
        estimators.MeasureValued(),
        "bernoulli categorical normal poisson exponential gamma_rate geometric binomial bernoulli_pair",
    ),
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
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell; `usual` are those of every commit's run."""

    estimator_name: str
    estimator: estimators.Estimator
    family: Family
    context: Context
    usual: bool

    def __str__(self):
        return f"{self.estimator_name}-{self.family.name}-{self.context.name}"

    @property
    def due_refusal(self) -> str | None:
        """The error that is due in place of a gradient, if any."""
        if self.context.lanes_mixed and not self.estimator.single:
            return "EstimatorError"
        if self.context.order == 2 and self.estimator.first_order:
            return "EstimatorError"
        return None


class Mean:
    """Exact expectations for the twin of a context."""

    def __init__(self, family, smooth):
        self.family, self.smooth = family, smooth

    def __call__(self, theta, f):
        return self.family.expect(theta, f, smooth=self.smooth)

    def with_density(self, theta, f):
        return self.family.expect_with_density(theta, f, smooth=self.smooth)


def flat(function, order):
    """Return a function that puts value, gradient and, at order 2, Hessian in one vector."""

    def all_of_them(theta):
        parts = [function(theta), jax.grad(function)(theta)]
        if order == 2:
            parts.append(jax.jacfwd(jax.grad(function))(theta))
        return jnp.concatenate([jnp.ravel(part) for part in parts])

    return all_of_them


def exact_and_resolution(cell: Cell):
    """Return the exact vector of a cell, and the bias that must be seen in each of its elements."""
    smooth = cell.estimator.pathwise
    theta = jnp.array(cell.family.theta)
    twin = lambda theta: cell.context.twin(Mean(cell.family, smooth), theta)  # noqa: E731
    exact = np.asarray(jax.jit(flat(twin, cell.context.order))(theta))
    size = theta.size
    groups = [exact[:1], exact[1 : 1 + size], exact[1 + size :]]
    # An element much smaller than its neighbours is seen at a quarter of the largest.
    scales = [np.maximum(np.abs(g), 0.25 * np.abs(g).max(initial=0.0)) for g in groups]
    return exact, FRACTION * np.concatenate(scales) + 1e-9


def run(cell: Cell, *, program=None) -> Verdict:
    """Judge a cell; with `program`, that in place of its context's."""
    smooth = cell.estimator.pathwise
    feature = cell.family.smooth if smooth else cell.family.jumpy
    program = program or cell.context.program

    def draw(address, theta):
        return feature(vipl.sample(address, cell.family.make(theta), estimator=cell.estimator))

    objective = vipl.expectation(lambda theta: program(draw, theta))
    theta = jnp.array(cell.family.theta)
    exact, resolution = exact_and_resolution(cell)
    return judge(
        lambda key: flat(lambda theta: objective(key, theta), cell.context.order)(theta),
        exact,
        resolution=resolution,
        continuous=cell.family.continuous,
        exactly=isinstance(cell.estimator, estimators.Enumerate) and not cell.context.noisy,
    )


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
