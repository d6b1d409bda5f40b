"""Whether the estimators of a plan fit together: the objective is run without arrays, and what it mixes is noted."""

from __future__ import annotations

import dataclasses

import jax

from vipl._core.errors import EstimatorError
from vipl.transform.evaluation.evaluate import Evaluation
from vipl.transform.evaluation.state import TooManySamples
from vipl.transform.provenance.alignment import JOINT
from vipl.transform.provenance.summaries import is_state


@dataclasses.dataclass(frozen=True)
class Misfit:
    """A choice that its estimator cannot serve where it stands.

    Attributes:
        choice: its path.
        what: why, in words.
        fix: what to do.
    """

    choice: tuple
    what: str
    fix: str = "ScoreFunction() there, whose cost does not grow; or costs that treat the elements separately"

    def error(self, plan) -> EstimatorError:
        """Return the error to raise."""
        located = plan.located(self.choice)
        estimator, address = plan.estimators[self.choice], located.statement.address
        return EstimatorError(
            f"{estimator} needs too many values for site {address!r}: {self.what}.",
            where=located.statement,
            fix=self.fix,
        )


def settle(plan):
    """Return the plan with its terms and joint axes, and the `Misfit` of every choice that does not fit."""
    try:
        plan = _outline(plan)
        joint_axes, misfits = _joint_axes(plan)
        plan = dataclasses.replace(plan, joint_axes=joint_axes)
        if joint_axes and not misfits:
            plan = _outline(plan)
        return plan, misfits
    except TooManySamples as error:
        return plan, [Misfit(error.choice, error.why)]


def _outline(plan):
    """Run the objective without arrays, and note its terms, with shapes in place of arrays."""
    found = []

    def run(key):
        evaluation = Evaluation(plan, plan.draw_noise(key))
        value, *_ = evaluation.run(plan.staged.jaxpr, plan.staged.consts, [])
        found.append((value, evaluation))
        return [term.array for term in value]

    shapes = jax.eval_shape(run, jax.random.key(0))
    value, evaluation = found[-1]
    terms = [dataclasses.replace(term, array=shape, own=None) for term, shape in zip(value, shapes, strict=True)]
    sizes = dict(evaluation.sizes)
    return dataclasses.replace(plan, terms=(*terms, *evaluation.closed), sample_sizes=sizes)


def _joint_axes(plan) -> tuple[dict, list[Misfit]]:
    """Return `{path: axes}` of choices with several values whose elements some term mixes, and the misfits."""
    found: dict[tuple, set] = {}
    for term in plan.terms:
        for choice, alignment in term.dependence.items():
            if is_state(choice):
                if any(entry is JOINT for entry in alignment):
                    return {}, [Misfit(_one_inside(plan, choice[:-1]), _STEPS)]
            elif not plan.estimators[choice].single:
                shape = plan.located(choice).full_shape
                offset = (
                    len(shape) - plan.located(choice).statement.event_dim - len(alignment)
                )  # of a nested expectation
                axes = {offset + i for i, e in enumerate(alignment) if e is JOINT or e.causal}
                found.setdefault(choice, set()).update(axis for axis in axes if shape[axis] != 1)
    joint_axes = {choice: tuple(sorted(axes)) for choice, axes in found.items() if axes}
    misfits = [_misfit(plan, choice, axes) for choice, axes in joint_axes.items()]
    return joint_axes, [misfit for misfit in misfits if misfit is not None]


def _misfit(plan, choice, axes) -> Misfit | None:
    """Return why a choice cannot be served along joint axes, if so."""
    located = plan.located(choice)
    statement, around = located.statement, len(located.axes)
    lanes = around + len(statement.lanes)
    if any(axis < around for axis in axes):
        return Misfit(choice, _STEPS)
    if any(axis < lanes for axis in axes):
        return Misfit(
            choice, _LANES, fix="vipl.plate and a batch of parameters in place of jax.vmap; or ScoreFunction()"
        )
    sizes = [located.full_shape[axis] for axis in axes]
    if plan.estimators[choice].allows(statement, sizes):
        return None
    own = tuple(axis - around for axis in axes)
    return Misfit(choice, f"the objective mixes its elements along axes {own} of shape {statement.full_shape}")


_STEPS = "the objective mixes the steps or lanes of the scan or vmap around it"
_LANES = (
    "it is under jax.vmap, whose lanes the objective mixes, and an estimator of several values sees one lane at a time"
)


def _one_inside(plan, path) -> tuple:
    """Return a choice of several values inside the construct at a path."""
    return next(c for c in plan.estimators if plan.is_several(c, path))
