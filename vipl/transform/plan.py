"""The plan of an expectation: which estimator serves which choice. Static, made before anything is drawn."""

from __future__ import annotations

import dataclasses
import warnings

import jax

from vipl._core.errors import BiasError, BiasWarning, EstimatorError
from vipl._core.interpreter import Located
from vipl._core.staging import Staged
from vipl.estimators import Auto, Estimator, Reparam
from vipl.lang.plate import IndicesStatement
from vipl.lang.site import SampleStatement
from vipl.tracing.noise import draw_noise
from vipl.transform.candidates import asked_for, candidates_for, check_overrides
from vipl.transform.evaluate import Evaluation, TooManySamples
from vipl.transform.provenance.alignment import JOINT
from vipl.transform.soundness import jumps
from vipl.transform.terms import Value


@dataclasses.dataclass(frozen=True)
class Plan:
    """Choices and their estimators.

    Attributes:
        staged: the staged objective.
        estimators: `{path: estimator}` of every choice.
        random: everything that needs noise: choices and subsampled plates.
        joint_axes: `{path: axes}`: batch axes of a choice whose elements the objective mixes.
        terms: the terms of the objective, without arrays: which choice is credited with what, and how it lines up.
        sample_sizes: `{path: number of values}` of choices whose estimator returns several.
        automatic: paths of choices whose estimator `Auto` picked.
        jumped: `{path: line}` of choices that `Auto` would not reparameterise, for a jump in the objective.
    """

    staged: Staged
    estimators: dict[tuple[int, ...], Estimator]
    random: list[Located]
    joint_axes: dict[tuple[int, ...], tuple[int, ...]] = dataclasses.field(default_factory=dict)
    terms: Value = ()
    sample_sizes: dict[tuple[int, ...], int] = dataclasses.field(default_factory=dict)
    automatic: frozenset = frozenset()
    jumped: dict[tuple[int, ...], str] = dataclasses.field(default_factory=dict)

    def is_automatic(self, path) -> bool:
        """Return whether `Auto` picked the estimator of a choice."""
        return path in self.automatic

    def is_weighted(self, path) -> bool:
        """Return whether a choice has weights: all but the pathwise ones."""
        return not isinstance(self.estimators[path], Reparam)

    @property
    def has_weights(self) -> bool:
        """Whether any choice is weighted."""
        return any(map(self.is_weighted, self.estimators))

    def draw_noise(self, key) -> dict:
        """Draw what every random statement needs."""
        with_keys = frozenset(path for path, estimator in self.estimators.items() if not estimator.pooled)
        return draw_noise(key, self.random, with_keys)


def make_plan(staged: Staged, overrides: tuple[tuple[str, Estimator], ...], where, *, strict: bool = False) -> Plan:
    """Choose an estimator for every choice of a staged objective.

    Args:
        staged: the objective.
        overrides: pairs of an address, which may be a glob, and an estimator; the last that matches wins.
        where: the user's line.
        strict: whether a suspected bias is an error.

    Raises:
        BiasError: with `strict`, a reparameterised value reaches the objective through a jump.
        EstimatorError: an estimator cannot serve its site.
        AddressError: an override matches nothing.
    """
    choices = [s for s in staged.statements if isinstance(s.statement, SampleStatement) and not s.statement.observed]
    check_overrides(overrides, {s.statement.address for s in choices}, where)
    indices = [s for s in staged.statements if isinstance(s.statement, IndicesStatement)]
    random = sorted(choices + indices, key=lambda s: s.path)
    asked = {s.path: asked_for(s, overrides) for s in choices}
    candidates = {s.path: candidates_for(s, asked[s.path]) for s in choices}
    automatic = frozenset(path for path, estimator in asked.items() if isinstance(estimator, Auto))
    avoided: dict[tuple[int, ...], str] = {}
    while True:
        estimators = {path: options[0] for path, options in candidates.items()}
        plan = Plan(staged, estimators, random, automatic=automatic, jumped=avoided)
        jumped = jumps(staged, lambda path, plan=plan: not plan.is_weighted(path))
        escaped = [path for path in jumped if len(candidates[path]) > 1]
        for path in escaped:  # `Auto` goes on to an estimator that minds no jump
            candidates[path] = candidates[path][1:]
            avoided[path] = jumped[path]
        if escaped:
            continue
        _report(jumped, choices, strict)
        if not plan.has_weights:
            return plan
        settled, unfit = _settle(plan)
        if not unfit:
            return settled
        dropped = [path for path in unfit if len(candidates[path]) > 1]
        if not dropped:
            raise _too_many(unfit, choices, settled)
        for path in dropped:
            candidates[path] = candidates[path][1:]


def _report(jumped: dict, choices, strict: bool) -> None:
    """Say which pathwise choices reach the objective through a jump, so that a part of their gradient is lost."""
    for located in choices:
        if located.path not in jumped:
            continue
        what = (
            f"the value of site {located.statement.address!r} reaches the objective through a jump "
            f"({jumped[located.path]}), and Reparam loses the derivative of that."
        )
        fix = (
            "estimator=ScoreFunction() for the site, or Auto(), which finds this out; "
            "vipl.continuous(f) around a function whose pieces meet"
        )
        if strict:
            raise BiasError(what, where=located.statement, fix=fix)
        warnings.warn(str(BiasError(what, where=located.statement, fix=fix)), BiasWarning, stacklevel=2)


def _settle(plan: Plan) -> tuple[Plan, list]:
    """Run the objective without arrays; returns the plan with joint axes, and choices that do not fit."""
    try:
        plan = _outline(plan)
        joint_axes = _joint_axes(plan)
        several = {p: axes for p, axes in joint_axes.items() if not plan.estimators[p].single}
        if not several:
            return dataclasses.replace(plan, joint_axes=several), []
        sizes = {
            s.path: (s.statement, [s.statement.full_shape[a] for a in several[s.path]])
            for s in plan.random
            if s.path in several
        }
        unfit = [
            p
            for p, (statement, joint) in sizes.items()
            if _across_lanes(statement, several[p]) or not plan.estimators[p].allows(statement, joint)
        ]
        plan = dataclasses.replace(plan, joint_axes=several)
        if not unfit:
            plan = _outline(plan)
        return plan, unfit
    except TooManySamples as error:
        return plan, [error.last]


def _outline(plan: Plan) -> Plan:
    """Run the objective without arrays, and note its terms, with shapes in place of arrays."""
    found = []

    def run(key):
        evaluation = Evaluation(plan, plan.draw_noise(key))
        value, *_ = evaluation.run(plan.staged.jaxpr, plan.staged.consts, [])
        found.append((value, evaluation.sizes))
        return [term.array for term in value]

    shapes = jax.eval_shape(run, jax.random.key(0))
    value, sizes = found[-1]
    terms = (dataclasses.replace(term, array=shape, own=None) for term, shape in zip(value, shapes, strict=True))
    return dataclasses.replace(plan, terms=tuple(terms), sample_sizes=sizes)


def _joint_axes(plan: Plan) -> dict:
    """Return, for every weighted choice, the batch axes (longer than 1) that some term mixes."""
    shapes = {s.path: s.axes + s.statement.full_shape for s in plan.random}
    found: dict[tuple, set] = {}
    for term in plan.terms:
        for choice, alignment in term.dependence.items():
            axes = {i for i, e in enumerate(alignment) if e is JOINT and shapes[choice][i] != 1}
            found.setdefault(choice, set()).update(axes)
    return {choice: tuple(sorted(axes)) for choice, axes in found.items() if axes}


def _across_lanes(statement, joint_axes) -> bool:
    """Return whether some joint axis is a lane of `jax.vmap`, which an estimator does not see."""
    return any(axis < len(statement.lanes) for axis in joint_axes)


def _too_many(unfit, choices, plan) -> EstimatorError:
    located = next(s for s in choices if s.path == unfit[0])
    axes = plan.joint_axes.get(located.path, ())
    if _across_lanes(located.statement, axes):
        return EstimatorError(
            f"{plan.estimators[located.path]} cannot serve site {located.statement.address!r}: it is under jax.vmap, "
            "whose lanes the objective mixes, and an estimator of several values sees one lane at a time.",
            where=located.statement,
            fix="vipl.plate and a batch of parameters in place of jax.vmap; or ScoreFunction()",
        )
    what = (
        f"the objective mixes its elements along axes {axes} of shape {located.statement.full_shape}"
        if axes
        else "it comes on top of other choices with several values on which it depends, and the values multiply"
    )
    return EstimatorError(
        f"{plan.estimators[located.path]} needs too many values for site {located.statement.address!r}: {what}.",
        where=located.statement,
        fix="ScoreFunction() there, whose cost does not grow; or costs that treat the elements separately",
    )
