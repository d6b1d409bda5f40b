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

from vipl._core.compat import Literal, open_jaxpr, rebind
from vipl._core.interpreter import has_statements, statements_inside
from vipl._core.statement import statement_p
from vipl.lang.plate import IndicesStatement
from vipl.tracing.own_density import DensityStatement
from vipl.tracing.simulate import draw_indices
from vipl.transform.choose import draw_choice
from vipl.transform.linear import LINEAR
from vipl.transform.native import run_construct
from vipl.transform.provenance import propagate_equation
from vipl.transform.provenance.alignment import joint
from vipl.transform.terms import OwnDensity, Term, Value, collapse, is_plain, plain, union
from vipl.transform.weights import ChoiceWeights, expected

_MOST_SAMPLES = 65_536


class TooManySamples(Exception):
    """The values of dependent choices multiply beyond all bounds; `last` is the choice that came on top."""

    def __init__(self, last):
        super().__init__(last)
        self.last = last


class Evaluation:
    """One run of a planned objective.

    Attributes:
        plan: the plan.
        noise: what the random statements are drawn from, by path.
        weights: `ChoiceWeights` of the weighted choices met so far, by path.
        sizes: lengths of sample axes.
        tokens: paths of choices, by the token that their own density carries.
        baselines: control variates of the estimators, terms of mean zero.
    """

    def __init__(self, plan, noise: dict):
        self.plan, self.noise = plan, noise
        self.weights: dict[tuple, ChoiceWeights] = {}
        self.sizes: dict[tuple, int] = {}
        self.tokens: dict[object, tuple] = {}
        self.baselines: list[Term] = []

    def run(self, jaxpr, consts, operands: list[Value], path=()) -> list[Value]:
        """Run a jaxpr on values; returns values."""
        environment = dict(zip(jaxpr.constvars, map(plain, consts), strict=True))
        environment.update(zip(jaxpr.invars, operands, strict=True))

        def read(atom):
            return plain(atom.val) if isinstance(atom, Literal) else environment[atom]

        for index, eqn in enumerate(jaxpr.eqns):
            values = [read(atom) for atom in eqn.invars]
            results = self._equation(eqn, values, (*path, index))
            environment.update(zip(eqn.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _equation(self, eqn, values, path) -> list[Value]:
        name = eqn.primitive.name
        if eqn.primitive is statement_p:
            return [self._statement(eqn.params["statement"], values, path)]
        inside = has_statements(eqn)
        if not inside and all(map(is_plain, values)):
            return [plain(x) for x in rebind(eqn, [collapse(v).array for v in values])]
        if name in _CALLS or (inside and name in _INLINED and _has_choices(eqn)):
            body, consts = open_jaxpr(eqn.params["jaxpr" if "jaxpr" in eqn.params else "call_jaxpr"])
            return self.run(body, consts, values, (*path, 0))
        if inside:
            return run_construct(self, eqn, [collapse(v) for v in values], path)
        rule = LINEAR.get(name)
        result = rule(eqn, values) if rule is not None else None
        return [result] if result is not None else self._merged(eqn, [collapse(v) for v in values])

    def _merged(self, eqn, terms: list[Term]) -> list[Value]:
        """Run an equation that is not linear, mapped over the sample axes of its operands."""
        results, samples = self.mapped(lambda *arrays: rebind(eqn, arrays), terms)
        dependences = propagate_equation(eqn, [term.dependence for term in terms])
        return [(Term(x, samples, 0, d),) for x, d in zip(results, dependences, strict=True)]

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
        if isinstance(statement, IndicesStatement):
            return plain(draw_indices(statement, self.noise[path]))
        if isinstance(statement, DensityStatement):
            return self._density(statement, values)
        return draw_choice(self, statement, [collapse(v) for v in values], path)

    def _density(self, statement, values: list[Value]) -> Value:
        """Name a log density; mark that of a weighted choice, so that its direct derivative can be taken out."""
        term = dataclasses.replace(collapse(values[0]), labels=(statement.label,))
        if not all(lane.mapped[0] for lane in statement.lanes):
            array, samples = self.mapped(lambda x: jnp.broadcast_to(x, statement.full_shape), [term])
            term = Term(array, samples, 0, joint(term.dependence), labels=term.labels)
        choice = self.tokens.get(statement.of)
        if choice is not None and term.dependence and self.weights[choice].log:
            array = jnp.asarray(term.array)
            term = dataclasses.replace(term, array=array, own=OwnDensity(choice, jnp.ones_like(array)))
        return (term,)


_CALLS = ("jit", "pjit", "closed_call", "core_call")
_INLINED = ("remat2", "checkpoint", "custom_jvp_call", "custom_vjp_call")


def _has_choices(eqn) -> bool:
    """Return whether a construct holds choices, and not only named densities."""
    return any(not isinstance(statement, DensityStatement) for statement in statements_inside(eqn))


def evaluate(plan, key):
    """Run a planned objective.

    Args:
        plan: the Plan.
        key: a typed key.

    Returns:
        The result of the objective program, its first array an unbiased estimate.
    """
    evaluation = Evaluation(plan, plan.draw_noise(key))
    value, *others = evaluation.run(plan.staged.jaxpr, plan.staged.consts, [])
    terms = (*value, *evaluation.baselines)
    estimate = expected(terms, evaluation.weights) if plan.has_weights else collapse(value).array
    auxiliary = [_auxiliary(collapse(other), evaluation.weights) for other in others]
    return plan.staged.out.fill([estimate, *auxiliary])


def _auxiliary(term: Term, weights):
    """Return an auxiliary result; where it has several values, their weighted mean."""
    if not term.samples:
        return term.array
    flat = jnp.reshape(term.array, (*term.array.shape[: len(term.samples)], -1)).astype(float)
    parts = [Term(flat[..., i], term.samples, 0, joint(term.dependence)) for i in range(flat.shape[-1])]
    return jnp.reshape(jnp.stack([expected((part,), weights) for part in parts]), term.shape)
