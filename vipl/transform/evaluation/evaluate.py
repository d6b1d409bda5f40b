"""Evaluation of a planned objective: one unbiased estimate, whose ordinary derivative is unbiased too.

The objective is run equation by equation. What depends on no weighted choice runs as it is. What does is a sum of
terms (`terms`), which linear equations keep apart (`linear`); any other equation merges them and runs once, mapped
over exactly the sample axes that its operands carry. At the end the terms meet the weights (`weights`).
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp

from vipl._core.compat import as_varying, open_jaxpr, rebind, varying_axes
from vipl._core.equations import flow
from vipl._core.interpreter import has_statements, statements_inside
from vipl._core.statement import statement_p
from vipl.lang.plate import IndicesStatement
from vipl.tracing.noise import LoopKeys
from vipl.tracing.own_density import DensityStatement
from vipl.tracing.simulate import draw_indices
from vipl.transform.evaluation.choose import draw_choice
from vipl.transform.evaluation.forward import run_scan
from vipl.transform.evaluation.inside import run_construct
from vipl.transform.evaluation.linear import LINEAR
from vipl.transform.evaluation.state import TooManySamples
from vipl.transform.evaluation.terms import (
    OwnDensity,
    Term,
    Value,
    change,
    collapse,
    depending,
    is_plain,
    outline,
    plain,
    together,
    union,
)
from vipl.transform.evaluation.weights import ChoiceWeights, close, close_auxiliary
from vipl.transform.provenance import Dependence, propagate_equation
from vipl.transform.provenance.alignment import joint

_MOST_SAMPLES = 65_536


class Evaluation:
    """One run of a planned objective, or of a jaxpr inside it.

    Attributes:
        plan: the plan.
        noise: what the random statements are drawn from, by path.
        weights: `ChoiceWeights` of the weighted choices met so far, by path.
        sizes: lengths of sample axes.
        tokens: paths of choices, by the token that their own density carries.
        controls: control variates of the estimators, terms of mean zero.
        tracked: whether choices of one value are told apart here, and not only outside of the construct around.
        drawn_controls: control variates of the choices that are not tracked.
        closed: the terms of nested expectations, with shapes in place of arrays.
    """

    def __init__(self, plan, noise: dict, around: Evaluation | None = None):
        self.plan, self.noise = plan, noise
        self.weights: dict[tuple, ChoiceWeights] = {}
        self.tokens: dict[object, tuple] = {}
        self.controls: list[Term] = []
        self.drawn_controls: dict[tuple, jax.Array] = {}
        self.tracked = around is None
        self.sizes: dict[tuple, int] = {} if around is None else around.sizes
        self.closed: list[Term] = [] if around is None else around.closed

    def child(self, noise: dict) -> Evaluation:
        """Return an evaluation for the body of a construct."""
        return Evaluation(self.plan, noise, self)

    def note_control(self, choice, control, samples: tuple, upstream: Dependence) -> None:
        """Note the control variate of a choice: as a term, or for the evaluation around."""
        if self.tracked:
            self.controls.append(Term(control, samples, jnp.ndim(control) - len(samples), upstream))
        else:
            self.drawn_controls[choice] = control

    def run(self, jaxpr, consts, operands: list[Value], path=()) -> list[Value]:
        """Run a jaxpr on values; returns values."""
        step = lambda index, eqn, values: self._equation(eqn, values, (*path, index))  # noqa: E731
        return flow(jaxpr, map(plain, consts), operands, lambda literal: plain(literal.val), step)

    def _equation(self, eqn, values, path) -> list[Value]:
        name = eqn.primitive.name
        if eqn.primitive is statement_p:
            axes = varying_axes(eqn.outvars[0].aval)
            value = self._statement(eqn.params["statement"], values, path)
            return [tuple(change(term, lambda x: as_varying(x, axes)) for term in value) if axes else value]
        inside = has_statements(eqn)
        if not inside and all(map(is_plain, values)):
            return [plain(x) for x in rebind(eqn, [collapse(v).array for v in values])]
        if name in _CALLS or (inside and name in _INLINED and _has_choices(eqn)):
            body, consts = open_jaxpr(eqn.params["jaxpr" if "jaxpr" in eqn.params else "call_jaxpr"])
            return self.run(body, consts, values, (*path, 0))
        if name == "vipl_expect":
            return self._expect(eqn, values, path)
        if inside:
            run = run_scan if name == "scan" and self.plan.holds_several(path) else run_construct
            return run(self, eqn, [collapse(v) for v in values], path)
        rule = LINEAR.get(name)
        result = rule(eqn, values) if rule is not None else None
        if result is not None:
            return [together(result, self.plan.is_exact)]
        return self._merged(eqn, [collapse(v) for v in values])

    def _merged(self, eqn, terms: list[Term]) -> list[Value]:
        """Run an equation that is not linear, mapped over the sample axes of its operands."""
        results, samples = self.mapped(lambda *arrays: rebind(eqn, arrays), terms)
        dependences = propagate_equation(eqn, [term.dependence for term in terms])
        return [(depending(x, samples, d),) for x, d in zip(results, dependences, strict=True)]

    def mapped(self, function, terms: list[Term], *shared):
        """Map a function of arrays over the sample axes that any of the terms carries.

        Args:
            function: of one array for each term, and then of `shared`.
            terms: collapsed terms.
            *shared: further arguments, the same at every sample: common random numbers.

        Returns:
            The function's results, with sample axes in front, and which these are.
        """
        samples = union(*(term.samples for term in terms))
        if math.prod(self.sizes[choice] for choice in samples) > _MOST_SAMPLES:
            raise TooManySamples(samples[-1])
        for choice in reversed(samples):
            axes = tuple(0 if choice in term.samples else None for term in terms)
            function = jax.vmap(function, in_axes=(*axes, *[None] * len(shared)), axis_size=self.sizes[choice])
        return function(*(term.array for term in terms), *shared), samples

    def _statement(self, statement, values, path) -> Value:
        if isinstance(statement, DensityStatement):
            return self._density(statement, values)
        noise = self.noise[path]
        noise = noise.noise(statement) if isinstance(noise, LoopKeys) else noise
        if isinstance(statement, IndicesStatement):
            return plain(draw_indices(statement, noise))
        return draw_choice(self, statement, [collapse(v) for v in values], noise, path)

    def _expect(self, eqn, values: list[Value], path) -> list[Value]:
        """Run a nested expectation, and sum out the choices in it."""
        known, controls, tracked = set(self.weights), self.controls, self.tracked
        self.controls, self.tracked = [], True
        body, consts = open_jaxpr(eqn.params["jaxpr"])
        value, *others = self.run(body, consts, values, (*path, 0))
        value = (*value, *self.controls)
        self.controls, self.tracked = controls, tracked
        inside = set(self.weights) - known
        self.closed += [outline(term) for term in value]
        label = f"expect({eqn.params['name'].split(',')[0]})"
        value = tuple(dataclasses.replace(term, labels=(label,)) for term in close(value, self.weights, inside))
        results = [value, *(close_auxiliary(x, self.weights, inside) for x in others)]
        for choice in inside:
            del self.weights[choice]
        return results

    def _density(self, statement, values: list[Value]) -> Value:
        """Name a log density; mark that of a weighted choice, so that its direct derivative can be taken out."""
        term = dataclasses.replace(collapse(values[0]), labels=(statement.label,))
        if not all(lane.mapped[0] for lane in statement.lanes):
            array, samples = self.mapped(lambda x: jnp.broadcast_to(x, statement.full_shape), [term])
            term = Term(array, samples, 0, joint(term.dependence), labels=term.labels)
        choice = self.tokens.get(statement.of)
        if choice in self.weights and term.dependence and self.weights[choice].log:
            array = jnp.asarray(term.array)
            term = dataclasses.replace(term, array=array, own=OwnDensity(choice, jnp.ones_like(array)))
        return (term,)


_CALLS = ("jit", "pjit", "closed_call", "core_call")
_INLINED = ("remat2", "checkpoint", "custom_jvp_call", "custom_vjp_call")


def _has_choices(eqn) -> bool:
    """Return whether a construct holds choices, and not only named densities."""
    return any(not isinstance(statement, DensityStatement) for statement in statements_inside(eqn))
