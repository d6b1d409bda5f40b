"""One cell: an estimator at a family of distributions in a context, and what is due there."""

from __future__ import annotations

import copy
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import VIPLError
from vipl.estimators import Estimator
from vipl.lang import sample
from vipl.testing.contexts import Context
from vipl.testing.families import Family
from vipl.testing.judgement import judge
from vipl.testing.verdict import BATCH, MOST_DRAWS, Verdict
from vipl.transform import Expectation, expectation


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell."""

    estimator_name: str
    estimator: Estimator
    family: Family
    context: Context

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

    @property
    def theta(self) -> jax.Array:
        """The parameters."""
        return jnp.array(self.family.theta)

    @property
    def labels(self) -> list[str]:
        """What the elements of the vector of a cell are called."""
        numbers = range(len(self.family.theta))
        labels = ["value", *(f"gradient[{i}]" for i in numbers)]
        return labels + [f"Hessian[{i},{j}]" for i in numbers for j in numbers if self.context.order == 2]

    def objective(self, program=None) -> Expectation:
        """Return the objective, a function of a key and the parameters; with `program`, that one's."""
        feature = self.family.smooth if self.estimator.pathwise else self.family.jumpy
        program = program or self.context.program

        def draw(address, theta):
            return feature(sample(address, self.family.make(theta), estimator=self.estimator))

        return expectation(lambda theta: program(draw, theta))

    def disallowed(self) -> bool:
        """Return whether the estimator's own `allows` says that too many elements are mixed here."""
        said = []

        class Watched(type(self.estimator)):
            def allows(self, statement, joint_sizes):
                said.append(super().allows(statement, joint_sizes))
                return said[-1]

        watched = copy.copy(self.estimator)
        object.__setattr__(watched, "__class__", Watched)
        try:
            dataclasses.replace(self, estimator=watched).objective().explain(self.theta)
        except VIPLError:
            return not all(said)
        return False


class Mean:
    """Exact expectations for the twin of a context."""

    def __init__(self, family, smooth):
        self.family, self.smooth = family, smooth

    def __call__(self, theta, f):
        """Return E f(feature)."""
        return self.family.expect(theta, f, smooth=self.smooth)

    def with_density(self, theta, f):
        """Return E f(feature, log density)."""
        return self.family.expect_with_density(theta, f, smooth=self.smooth)


def flat(function, order):
    """Return a function that puts value, gradient and, at order 2, Hessian in one vector."""

    def all_of_them(theta):
        parts = [function(theta), jax.grad(function)(theta)]
        if order == 2:
            parts.append(jax.jacfwd(jax.grad(function))(theta))
        return jnp.concatenate([jnp.ravel(part) for part in parts])

    return all_of_them


def exact_and_resolution(cell: Cell, fraction):
    """Return the exact vector of a cell, and the bias that must be seen in each element, a fraction of its size."""
    twin = lambda theta: cell.context.twin(Mean(cell.family, cell.estimator.pathwise), theta)  # noqa: E731
    exact = np.asarray(jax.jit(flat(twin, cell.context.order))(cell.theta))
    size = cell.theta.size
    groups = [exact[:1], exact[1 : 1 + size], exact[1 + size :]]
    # An element much smaller than its neighbours is seen at a quarter of the largest.
    scales = [np.maximum(np.abs(g), 0.25 * np.abs(g).max(initial=0.0)) for g in groups]
    return exact, fraction * np.concatenate(scales) + 1e-9


def run(cell: Cell, *, program=None, fraction=0.1, seed=0, batch=BATCH, most_draws=MOST_DRAWS) -> Verdict:
    """Judge a cell; with `program`, that in place of its context's."""
    objective, theta = cell.objective(program), cell.theta
    exact, resolution = exact_and_resolution(cell, fraction)
    return judge(
        lambda key: flat(lambda theta: objective(key, theta), cell.context.order)(theta),
        exact,
        resolution=resolution,
        continuous=cell.family.continuous,
        exactly=cell.estimator.exact and not cell.context.noisy,
        seed=seed,
        labels=cell.labels,
        batch=batch,
        most_draws=most_draws,
    )
