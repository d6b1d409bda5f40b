"""Constructs with choices inside: they run as they are, their bodies as evaluations of their own.

A `cond` runs one branch, a `scan` runs as a scan. The values that a body returns may have sample axes, and the weights
of the choices in it come out as further results; both meet the terms outside.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl._core.compat import open_jaxpr
from vipl._core.constructs import CONSTRUCTS, Conditional
from vipl.tracing.noise import LoopKeys
from vipl.transform.evaluation.leaving import arrived, behind, export
from vipl.transform.evaluation.terms import Term, Value, collapse, depending, plain
from vipl.transform.evaluation.visitor import Visitor
from vipl.transform.provenance.walk import Context, propagate_equation


def run_construct(evaluation, eqn, terms: list[Term], path) -> list[Value]:
    """Run a construct with choices inside; returns its results and notes the weights of its choices."""
    construct = CONSTRUCTS[eqn.primitive.name]
    dependences = construct_dependences(evaluation, eqn, terms, path)
    wanted = [tuple(sorted(c for c in d if evaluation.plan.is_several(c, path))) for d in dependences]
    given = noise_inside(evaluation, path)

    def run(*arrays):
        if eqn.primitive.name == "cond" and any(wanted):  # how many values a branch has, before the other runs
            for index, body in enumerate(eqn.params["branches"]):
                look = lambda *xs, body=body, index=index: Body(evaluation)(body, xs, given, (*path, index))  # noqa: E731
                jax.eval_shape(look, *arrays[1:])
        return construct.run(eqn, list(arrays), Body(evaluation, wanted), given, path)

    (results, outputs), outer = evaluation.mapped(run, terms)
    axis = eqn.primitive.name in ("scan", "vipl_vmap")
    note_weights(evaluation, outputs, outer, axis)
    sample_axes = [tuple(c for c in samples if c in evaluation.sizes) for samples in wanted]
    if axis:
        results = [behind(x, len(outer), len(own)) for x, own in zip(results, sample_axes, strict=True)]
    results = zip(results, sample_axes, dependences, strict=True)
    return [(depending(x, (*outer, *own), d),) for x, own, d in results]


def construct_dependences(evaluation, eqn, terms, path):
    """Return what the results of a construct depend on."""
    context = Context(Visitor(evaluation.plan), path)
    return propagate_equation(eqn, [term.dependence for term in terms], context)


def noise_inside(evaluation, path) -> dict:
    """Return the noise of the statements inside a construct."""
    return {p: n for p, n in evaluation.noise.items() if p[: len(path)] == path}


def note_weights(evaluation, outputs: dict, outer: tuple, axis: bool) -> None:
    """Note the weights that came out of a construct."""
    for choice, output in outputs.items():
        output = output.output if isinstance(output, Conditional) else output
        evaluation.weights[choice] = arrived(output, outer, axis)
        if output.control is not None:
            evaluation.note_control(choice, output.control, outer, {})


class Body:
    """Runs a jaxpr inside a construct; what the construct's rule calls to go on inside.

    Args:
        evaluation: the evaluation outside.
        wanted: for each result, the choices whose sample axes it shall have, if these have several values.
    """

    rebinds = False

    def __init__(self, evaluation, wanted=None):
        self.evaluation, self.wanted = evaluation, wanted

    @property
    def handler(self):
        """What answers for the rounds of a `while_loop`."""
        return self

    def __call__(self, body, operands, given, path):
        """Return the results of a jaxpr, and what the choices in it put out."""
        child = self.evaluation.child(given)
        jaxpr, consts = open_jaxpr(body)
        terms = [collapse(v) for v in child.run(jaxpr, consts, [plain(x) for x in operands], path)]
        wanted = [term.samples for term in terms] if self.wanted is None else self.wanted
        results = [with_axes(term, samples, child.sizes) for term, samples in zip(terms, wanted, strict=True)]
        return results, exports(child)

    def at_iteration(self, given, iteration):
        """Fold the round of a `while_loop` into the key."""
        return given.at_iteration(iteration) if isinstance(given, LoopKeys) else given


def exports(child) -> dict:
    """Return what the choices of an evaluation put out of the construct around it."""
    return {c: export(c, w, child.sizes, child.drawn_controls.get(c)) for c, w in child.weights.items()}


def with_axes(term: Term, samples: tuple, sizes: dict):
    """Return a term's array with exactly these sample axes, of those whose size is known."""
    samples = tuple(choice for choice in samples if choice in sizes)
    array = jnp.asarray(term.array)
    missing = [axis for axis, choice in enumerate(samples) if choice not in term.samples]
    array = jnp.expand_dims(array, missing)
    return jnp.broadcast_to(array, (*(sizes[choice] for choice in samples), *term.shape))
