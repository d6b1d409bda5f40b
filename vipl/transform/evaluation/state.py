"""What a step of a `scan` leaves in its carry, where the step has choices of several values."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl.transform.evaluation.terms import Term, union
from vipl.transform.evaluation.weights import place_all
from vipl.transform.provenance.alignment import Alignment, merge, whole
from vipl.transform.provenance.summaries import is_state


class TooManySamples(Exception):
    """The values of dependent choices multiply beyond all bounds.

    Attributes:
        choice: the choice that came on top.
        why: in words.
    """

    def __init__(self, choice, why="it comes on top of other choices with several values, and the values multiply"):
        super().__init__(choice)
        self.choice, self.why = choice, why


@dataclasses.dataclass(frozen=True)
class Carried:
    """What the carry keeps of a step's choices: together they are the state.

    Attributes:
        choices: the choices whose sample axes the carry has.
        batch: shape of the plate in which there is a state for each element.
        kept: for each component of the carry, how the plate lines up with it; None where it does not depend on them.
    """

    choices: tuple = ()
    batch: tuple[int, ...] = ()
    kept: tuple[Alignment | None, ...] = ()

    @property
    def whole(self) -> Alignment:
        """The alignment of the state with itself."""
        return whole(len(self.batch))


NOTHING = Carried()


def carried_by(terms: list[Term], child, before) -> Carried:
    """Return what a carry keeps.

    Args:
        terms: the new carry.
        child: the evaluation of the step.
        before: the state before it.

    Raises:
        TooManySamples: the carry depends on more than the choices of this step.
    """
    choices = union(*(term.samples for term in terms))
    own = tuple(choice for choice in choices if choice != before)
    if not own:
        return Carried(kept=(None,) * len(terms))
    if before in choices or any(map(is_state, own)):
        raise TooManySamples(own[-1], "what a step hands on depends on its own value and on those of earlier steps")
    _refuse_unless(not any(child.plan.is_single(c) for term in terms for c in term.dependence), own[-1])
    batches = {_batch(child.weights[choice]) for choice in own}
    _refuse_unless(len(batches) == 1 and not any(child.weights[choice].joint for choice in own), own[-1])
    kept = []
    for term in terms:
        alignments = [{before: term.dependence[choice]} for choice in own if choice in term.samples]
        kept.append(merge(*alignments)[before] if alignments else None)
    return Carried(own, batches.pop(), tuple(kept))


def next_probabilities(carried: Carried, child):
    """Return the probability of every value of the state after a step; axes `(values, *batch)`."""
    if not carried.choices:
        return jnp.ones((1,))
    needed: dict = {}
    for choice in carried.choices:
        for upstream, alignment in child.weights[choice].dependence.items():
            needed[upstream] = child.weights[upstream]
            aligned = alignment == carried.whole and _batch(needed[upstream]) == carried.batch
            _refuse_unless(aligned and not child.plan.is_single(upstream), choice)
    one = Term(jnp.ones(carried.batch), dependence=dict.fromkeys(needed, carried.whole))
    product, samples = place_all(one, needed)
    gone = tuple(axis for axis, choice in enumerate(samples) if choice not in carried.choices)
    return jnp.reshape(jnp.sum(product, axis=gone), (-1, *carried.batch))


def _batch(weights) -> tuple[int, ...]:
    return tuple(jnp.shape(weights.array)[len(weights.samples) :])


def _refuse_unless(fine: bool, choice) -> None:
    if not fine:
        raise TooManySamples(choice, "the states of a scan that it hands on mix the elements of a plate")
