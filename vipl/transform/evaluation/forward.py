"""Choices of several values inside a `scan`: the forward algorithm.

A step's choices get their sample axes. What they leave in the carry keeps one sample axis, that of the *state*, with
the probability of each of its values, into which the states before are summed out:

    α_t(x) = Σ_x' α_(t-1)(x') w(x | x')

So T steps of K values cost T·K², and what comes out of step t depends on the state before it and on its own choices.
The state before each step and the state after the last one are choices like others for the terms outside, with weights
α. Where the values of a step's carry depend on those of the carry before, the values would multiply at each step.

Source: Rabiner 1989, A tutorial on hidden Markov models, §III.A; as a contraction of weighted samples, our own.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
from jax import lax

from vipl._core.compat import open_jaxpr, scan_split
from vipl._core.constructs import with_types
from vipl.transform.evaluation.inside import construct_dependences, exports, noise_inside, note_weights, with_axes
from vipl.transform.evaluation.leaving import behind
from vipl.transform.evaluation.state import NOTHING, Carried, carried_by, next_probabilities
from vipl.transform.evaluation.terms import Term, Value, collapse, depending, plain
from vipl.transform.evaluation.weights import ChoiceWeights
from vipl.transform.provenance.summaries import state_after, state_before


def run_scan(evaluation, eqn, terms: list[Term], path) -> list[Value]:
    """Run a scan that holds choices of several values; returns its results and notes the weights of the choices."""
    scan = Steps(evaluation, eqn, path)
    (carry, last, ys, outputs, before), outer = evaluation.mapped(scan.run, terms)
    dependences = construct_dependences(evaluation, eqn, terms, path)
    note_weights(evaluation, outputs, outer, True)
    state, sizes, num_carry = scan.carried, evaluation.sizes, scan.num_carry
    if state.choices:
        sizes[state_after(path)] = sizes[state_before(path)]
        summed = behind(before, len(outer), 1)
        evaluation.weights[state_before(path)] = ChoiceWeights((*outer, state_before(path)), False, array=summed)
        evaluation.weights[state_after(path)] = ChoiceWeights((*outer, state_after(path)), False, array=last)
    results = []
    for x, kept, dependence in zip(carry, state.kept, dependences[:num_carry], strict=True):
        own = (state_after(path),) if kept is not None else ()
        results.append((depending(x, (*outer, *own), dependence),))
    for x, own, dependence in zip(ys, scan.wanted, dependences[num_carry:], strict=True):
        results.append((depending(behind(x, len(outer), len(own)), (*outer, *own), dependence),))
    return results


class Steps:
    """The scan, with one sample axis in its carry."""

    def __init__(self, evaluation, eqn, path):
        self.evaluation, self.params, self.path = evaluation, eqn.params, path
        self.jaxpr, self.consts = open_jaxpr(eqn.params["jaxpr"])
        self.num_consts, self.num_carry = scan_split(eqn.params)
        self.carried: Carried = NOTHING
        self.wanted: list[tuple] = []

    def run(self, *arrays):
        """Run on arrays; returns carry, its probabilities, what is put out, the weights and the α of each step."""
        consts = arrays[: self.num_consts]
        init = arrays[self.num_consts : self.num_consts + self.num_carry]
        init = with_types(init, self.params["jaxpr"].in_avals[self.num_consts :])
        slices = (arrays[self.num_consts + self.num_carry :], noise_inside(self.evaluation, self.path))
        self._settle(consts, init, slices)
        carry, last = self._start(init)

        def step(state, slices):
            carry, alpha, ys, outputs = self._step(consts, state, slices)
            return (carry, alpha), (ys, outputs, state[1])

        params = self.params
        options = {"length": params["length"], "reverse": params["reverse"], "unroll": params["unroll"]}
        (carry, last), (ys, outputs, before) = lax.scan(step, (carry, last), slices, **options)
        return carry, last, ys, outputs, before

    def _settle(self, consts, init, slices):
        """Find what a step carries on, by looking at steps without arrays until that does not change."""
        one = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), jax.tree.map(jnp.asarray, slices))
        while True:
            before = self.carried
            jax.eval_shape(lambda *xs: self._step(*xs)[2:], consts, self._start(init), one)
            if self.carried == before:
                return

    def _start(self, init):
        """Return the carry before the first step, the same for every value of the state, and their probabilities."""
        count = self._count()
        carry = [
            x if kept is None else jnp.broadcast_to(x, (count, *jnp.shape(x)))
            for x, kept in zip(init, self.carried.kept or [None] * len(init), strict=True)
        ]
        return carry, jnp.full((count, *self.carried.batch), 1 / count)

    def _count(self) -> int:
        return math.prod(self.evaluation.sizes[choice] for choice in self.carried.choices)

    def _step(self, consts, state, slices):
        carry, alpha = state
        xs, noise = slices
        child, before = self.evaluation.child(noise), state_before(self.path)
        if self.carried.choices:
            child.sizes[before] = self._count()
            dependence = {before: self.carried.whole}
            child.weights[before] = ChoiceWeights((before,), False, (), dependence, array=alpha)
        kept = self.carried.kept or [None] * len(carry)
        entering = [
            plain(x) if k is None else (Term(x, (before,), 0, {before: k}),) for x, k in zip(carry, kept, strict=True)
        ]
        values = [*map(plain, consts), *entering, *map(plain, xs)]
        terms = [collapse(v) for v in child.run(self.jaxpr, self.consts, values, (*self.path, 0))]
        carry_terms, ys = terms[: self.num_carry], terms[self.num_carry :]
        found = carried_by(carry_terms, child, before)
        if found.choices != self.carried.choices or found.kept != self.carried.kept:
            self.carried = dataclasses.replace(found, kept=_either(found.kept, self.carried.kept))
        count = math.prod(child.sizes[choice] for choice in found.choices)
        carry = [
            jnp.asarray(term.array)
            if kept is None
            else jnp.reshape(with_axes(term, found.choices, child.sizes), (count, *term.shape))
            for term, kept in zip(carry_terms, self.carried.kept, strict=True)
        ]
        alpha = next_probabilities(found, child)
        self.wanted = [tuple(sorted(term.samples)) for term in ys]
        child.weights.pop(before, None)
        arrays = [with_axes(term, own, child.sizes) for term, own in zip(ys, self.wanted, strict=True)]
        return carry, alpha, arrays, exports(child)


def _either(new, old):
    if not old:
        return new
    return tuple(o if n is None else n for n, o in zip(new, old, strict=True))
