"""The plan of an expectation: which estimator serves which choice. Static, made before anything is drawn."""

from __future__ import annotations

import dataclasses
import functools
import warnings

from vipl._core.errors import BiasError, BiasWarning, EstimatorError
from vipl._core.interpreter import Located
from vipl._core.staging import Staged
from vipl.estimators import Auto, Estimator, Reparam, ScoreFunction
from vipl.lang.plate import IndicesStatement
from vipl.lang.site import SampleStatement
from vipl.tracing.noise import draw_noise
from vipl.transform.candidates import asked_for, candidates_for, check_overrides
from vipl.transform.evaluation.terms import Value
from vipl.transform.provenance.summaries import is_state
from vipl.transform.rewriting.sums import sums_pulled_out
from vipl.transform.rewriting.unroll import unrolled
from vipl.transform.settle import settle
from vipl.transform.soundness.jumps import jumps
from vipl.transform.soundness.nested_estimates import refuse_misused_estimates


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
        unfit: `{path: why}` of choices for which `Auto` gave up an estimator of several values.
    """

    staged: Staged
    estimators: dict[tuple[int, ...], Estimator]
    random: list[Located]
    joint_axes: dict[tuple[int, ...], tuple[int, ...]] = dataclasses.field(default_factory=dict)
    terms: Value = ()
    sample_sizes: dict[tuple[int, ...], int] = dataclasses.field(default_factory=dict)
    automatic: frozenset = frozenset()
    jumped: dict[tuple[int, ...], str] = dataclasses.field(default_factory=dict)
    unfit: dict[tuple[int, ...], str] = dataclasses.field(default_factory=dict)

    def is_automatic(self, path) -> bool:
        """Return whether `Auto` picked the estimator of a choice."""
        return path in self.automatic

    def is_weighted(self, path) -> bool:
        """Return whether a choice has weights: all but the pathwise ones."""
        return not isinstance(self.estimators[path], Reparam)

    def is_single(self, choice) -> bool:
        """Return whether a choice has one value, and weights."""
        return choice in self.estimators and self.is_weighted(choice) and self.estimators[choice].single

    def is_exact(self, choice) -> bool:
        """Return whether the weighted sum over the values of a choice has no variance."""
        inside = [c for c in self.estimators if self.is_several(c, choice[:-1])] if is_state(choice) else [choice]
        return all(self.estimators[c].exact for c in inside)

    def is_several(self, choice, path) -> bool:
        """Return whether a choice under a path has several values, or is a state that stands for such choices."""
        if choice[: len(path)] != path or choice == path:
            return False
        return is_state(choice) or (self.is_weighted(choice) and not self.estimators[choice].single)

    def holds_several(self, path) -> bool:
        """Return whether there are choices of several values under a path."""
        return any(self.is_several(choice, path) for choice in self.estimators)

    def located(self, choice) -> Located:
        """Return the statement of a choice, at its place."""
        return self._by_path[choice]

    @functools.cached_property
    def _by_path(self) -> dict[tuple[int, ...], Located]:
        return {located.path: located for located in self.random}

    @property
    def has_weights(self) -> bool:
        """Whether any choice is weighted."""
        return any(map(self.is_weighted, self.estimators))

    @property
    def credited(self) -> list:
        """The choices by score function, which a baseline could serve."""
        return [path for path, estimator in self.estimators.items() if isinstance(estimator, ScoreFunction)]

    @property
    def compared(self) -> list:
        """Those of them whose baseline is made of the other estimates."""
        return [path for path in self.credited if self.estimators[path].leaves_one_out]  # pyright: ignore[reportAttributeAccessIssue]

    def draw_noise(self, key) -> dict:
        """Draw what every random statement needs."""
        with_keys = frozenset(path for path, estimator in self.estimators.items() if not estimator.pooled)
        return draw_noise(key, self.random, with_keys)


def make_plan(
    staged: Staged,
    overrides: tuple[tuple[str, Estimator], ...],
    where,
    *,
    strict: bool = False,
    pathwise_only: str | None = None,
) -> Plan:
    """Choose an estimator for every choice of a staged objective.

    Args:
        staged: the objective.
        overrides: pairs of an address, which may be a glob, and an estimator; the last that matches wins.
        where: the user's line.
        strict: whether a suspected bias is an error.
        pathwise_only: the name of an objective that serves only choices by `Reparam`, or None.

    Raises:
        BiasError: a nested estimate is used as if it were exact; with `strict` also where a reparameterised value
            reaches the objective through a jump.
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
    unfit: dict[tuple[int, ...], str] = {}
    while True:
        estimators = {path: options[0] for path, options in candidates.items()}
        plan = Plan(staged, estimators, random, automatic=automatic, jumped=avoided, unfit=unfit)
        jumped = jumps(staged, lambda path, plan=plan: plan.estimators[path].pathwise)
        escaped = [path for path in jumped if len(candidates[path]) > 1]
        for path in escaped:  # `Auto` goes on to an estimator that minds no jump
            candidates[path] = candidates[path][1:]
            avoided[path] = jumped[path]
        if escaped:
            continue
        if pathwise_only is not None:
            _refuse_weights(plan, pathwise_only)
        if plan.has_weights and (rewritten := sums_pulled_out(staged)) is not staged:
            return make_plan(rewritten, overrides, where, strict=strict)
        settled, misfits = settle(plan) if plan.has_weights else (plan, [])
        dropped = [misfit.choice for misfit in misfits if len(candidates[misfit.choice]) > 1]
        for misfit in misfits:
            if misfit.choice in dropped:
                candidates[misfit.choice] = candidates[misfit.choice][1:]
                unfit[misfit.choice] = misfit.what
        if dropped:
            continue
        if misfits:
            rewritten = unrolled(settled, misfits[0].choice)
            if rewritten is None:
                raise misfits[0].error(settled)
            return make_plan(rewritten, overrides, where, strict=strict)
        _report(jumped, choices, estimators, strict)
        refuse_misused_estimates(settled)
        return settled


def _refuse_weights(plan: Plan, name: str) -> None:
    """Refuse choices that are not by `Reparam`, for an objective that is differentiated through the draws alone."""
    for path, estimator in plan.estimators.items():
        if not plan.is_weighted(path):
            continue
        statement, jump = plan.located(path).statement, plan.jumped.get(path)
        why = "" if jump is None else f", since its value reaches the objective through a jump ({jump})"
        raise EstimatorError(
            f"{name} differentiates through the draws alone, and site {statement.address!r} has {estimator}{why}.",
            where=statement,
            fix="Reparam() and a distribution with a differentiable sampler for that site; or an objective that serves "
            'any estimator: gradient="plain" or "vimco", and objectives.elbo in place of path_elbo',
        )


def _report(jumped: dict, choices, estimators: dict, strict: bool) -> None:
    """Refuse biased estimators where `strict`; say which pathwise choices lose a part of their gradient at a jump."""
    for located in choices:
        if strict and estimators[located.path].biased:
            raise BiasError(
                f"{estimators[located.path]} gives site {located.statement.address!r} a biased gradient, "
                "and the expectation is strict.",
                where=located.statement,
                fix="estimators.REBAR() or DisARM(), which are unbiased; or strict=False",
            )
        if located.path not in jumped:
            continue
        what = (
            f"the value of site {located.statement.address!r} reaches the objective through a jump "
            f"({jumped[located.path]}), and {type(estimators[located.path]).__name__} loses the derivative of that."
        )
        fix = (
            "estimator=ScoreFunction() for the site, or Auto(), which finds this out; "
            "vipl.continuous(f) around a function whose pieces meet"
        )
        if strict:
            raise BiasError(what, where=located.statement, fix=fix)
        warnings.warn(str(BiasError(what, where=located.statement, fix=fix)), BiasWarning, stacklevel=2)
