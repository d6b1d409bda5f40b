"""Constructs with choices inside: they run as they are, with one value for each choice.

A `scan` runs once, as a scan; the log weights of the choices in it come out as further results, with the axis of steps
in front, and meet the terms outside, where causality decides which.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl._core.constructs import CONSTRUCTS, Conditional
from vipl._core.interpreter import Walk
from vipl._core.statement import over_lanes
from vipl.lang.plate import IndicesStatement
from vipl.tracing.noise import LoopKeys
from vipl.tracing.own_density import DensityStatement
from vipl.tracing.simulate import draw_indices
from vipl.transform.choose import baseline_term, choice_dependence
from vipl.transform.provenance.alignment import Along
from vipl.transform.provenance.walk import Context, propagate_equation
from vipl.transform.terms import Term, Value
from vipl.transform.weights import ChoiceWeights


def run_construct(evaluation, eqn, terms: list[Term], path) -> list[Value]:
    """Run a construct with choices inside; returns its results and notes the weights of its choices."""
    plan = evaluation.plan
    given = {p: n for p, n in evaluation.noise.items() if p[: len(path)] == path}
    construct = CONSTRUCTS[eqn.primitive.name]

    def run(*arrays):
        return construct.run(eqn, list(arrays), Walk(Native(plan)), given, path)

    (results, outputs), samples = evaluation.mapped(run, terms)
    for p, output in outputs.items():
        log_weight, baseline = output.output if isinstance(output, Conditional) else output
        evaluation.weights[p] = ChoiceWeights(log_weight, samples, True)
        if baseline is not None:
            evaluation.baselines.append(baseline_term(baseline, log_weight, samples, {}))
    context = Context(_Visitor(plan), path)
    dependences = propagate_equation(eqn, [term.dependence for term in terms], context)
    return [(Term(x, samples, 0, d),) for x, d in zip(results, dependences, strict=True)]


class Native:
    """Gives choices inside a construct their value; puts out their log weights."""

    rebinds = False

    def __init__(self, plan):
        self.plan = plan

    def __call__(self, path, statement, operands, given):
        """Return the value of a statement, and the log weight of a weighted choice."""
        if isinstance(given, LoopKeys):
            given = given.noise(statement)
        if isinstance(statement, IndicesStatement):
            return draw_indices(statement, given), None
        if isinstance(statement, DensityStatement):
            return over_lanes(lambda density, *_: jnp.asarray(density), statement.lanes)(*operands), None
        estimator = self.plan.estimators[path]

        def one(*xs):
            samples = estimator.weigh(xs[-1], statement.distribution(xs[:-1]), ())
            log_weights = samples.log_weights if samples.weights is None else jnp.log(samples.weights)
            baseline = None if samples.baseline is None else samples.baseline[0]
            return samples.values[0], (log_weights[0], baseline)

        value, output = over_lanes(one, statement.lanes, extra=1)(*operands, given)
        return value, output if self.plan.is_weighted(path) else None

    def at_iteration(self, given, iteration):
        """Fold the round of a `while_loop` into the key."""
        return given.at_iteration(iteration) if isinstance(given, LoopKeys) else given


class _Visitor:
    """Says, during the static pass, what a choice inside a construct depends on."""

    def __init__(self, plan):
        self.plan = plan

    def __call__(self, eqn, operands, context):
        """Return the dependence of a statement's value."""
        statement = eqn.params["statement"]
        if isinstance(statement, DensityStatement):
            return operands[0]
        if isinstance(statement, IndicesStatement):
            return {}
        leaves = [
            Term(jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype), dependence=dependence)
            for atom, dependence in zip(eqn.invars, operands, strict=True)
        ]
        front = tuple(Along(marker) for marker in context.around)
        batch = len(statement.full_shape) - statement.event_dim
        own = context.path if self.plan.is_weighted(context.path) else None
        return choice_dependence(statement, leaves, own, batch, front)
