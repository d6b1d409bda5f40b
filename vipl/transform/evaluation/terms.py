"""Values as sums of terms, kept apart as long as only linear things happen to them.

A `Term` is an array whose leading axes are *sample axes* (the values that estimators returned for a choice), then
*hidden axes* (sums not carried out yet), then the axes of the value in the program. It knows on which choices it
depends and how their axes line up. Keeping terms apart is what credits each choice with its own costs only.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from vipl.transform.provenance.alignment import JOINT, Along, Choice, Dependence, merge, move


@dataclasses.dataclass(frozen=True)
class OwnDensity:
    """Marks a term as `coefficient` times the log density of a choice itself, element by element."""

    choice: Choice
    coefficient: Any


@dataclasses.dataclass(frozen=True)
class Term:
    """One summand of a value.

    Attributes:
        array: `(*samples, *hidden, *shape)`.
        samples: the choices whose sample axes lead, in the order in which they were made.
        hidden: how many axes are still to be summed.
        dependence: on weighted choices; axes count from the first hidden one.
        own: set if the term is a choice's own log density.
        labels: what the term is made of, in words.
    """

    array: Any
    samples: tuple = ()
    hidden: int = 0
    dependence: Dependence = dataclasses.field(default_factory=dict)
    own: OwnDensity | None = None
    labels: tuple[str, ...] = ()

    @property
    def lead(self) -> int:
        """Number of axes in front of those of the program."""
        return len(self.samples) + self.hidden

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value in the program."""
        return tuple(jnp.shape(self.array)[self.lead :])


Value = tuple  # of Terms; their sum is the value


def depending(array, samples: tuple, dependence: Dependence) -> Term:
    """Return a term with the sample axes of the choices that it depends on; along any other all its values are one.

    Several results of one equation have the sample axes of all its operands, and each may depend on some of these only.
    A sample axis without weights would be summed as it is.

    Args:
        array: `(*samples, *shape)`.
        samples: the choices whose sample axes lead.
        dependence: on weighted choices.
    """
    first = tuple(slice(None) if choice in dependence else 0 for choice in samples)
    array = array if all(choice in dependence for choice in samples) else array[first]
    return Term(array, tuple(choice for choice in samples if choice in dependence), 0, dependence)


def plain(array) -> Value:
    """Return a value that depends on no weighted choice."""
    return (Term(array),)


def is_plain(value: Value) -> bool:
    """Return whether a value depends on no weighted choice."""
    return all(not term.dependence for term in value)


def outline(term: Term) -> Term:
    """Return a term with a shape in place of its array."""
    shape = jax.ShapeDtypeStruct(jnp.shape(term.array), jnp.result_type(term.array))
    return dataclasses.replace(term, array=shape, own=None)


def with_samples(array, have: tuple, want: tuple):
    """Return an array with axes of size 1 for the sample axes that it lacks."""
    if have == want:
        return array
    missing = [i for i, choice in enumerate(want) if choice not in have]
    return jnp.expand_dims(array, missing)


def union(*samples: tuple) -> tuple:
    """Return all sample axes, in the order in which the choices were made."""
    return tuple(sorted({choice for some in samples for choice in some}))


def collapse(value: Value) -> Term:
    """Return a value as one term: carry out the hidden sums, and add."""
    terms = [_carried_out(term) for term in value]
    if len(terms) == 1:
        return terms[0]
    samples = union(*(term.samples for term in terms))
    array = None
    for term in terms:
        part = with_samples(term.array, term.samples, samples)
        array = part if array is None else array + part
    return Term(array, samples, 0, merge(*(term.dependence for term in terms)), labels=_all_labels(terms))


def _all_labels(terms) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label for term in terms for label in term.labels))


def _carried_out(term: Term) -> Term:
    if not term.hidden:
        return dataclasses.replace(term, own=None)
    first, hidden = len(term.samples), term.hidden
    array = jnp.sum(term.array, axis=tuple(range(first, first + hidden)))
    dependence = move(term.dependence, lambda axis: JOINT if axis < hidden else Along(axis - hidden))
    return Term(array, term.samples, 0, dependence, labels=term.labels)


def add(*values: Value) -> Value:
    """Return the sum of values, adding at once those terms that depend on the same things in the same way."""
    groups: dict = {}
    for term in (term for value in values for term in value):
        key = (
            term.samples,
            term.hidden,
            jnp.shape(term.array),
            tuple(sorted(term.dependence.items(), key=_by_choice)),
        )
        key = key if term.own is None else (*key, term.own.choice, len(groups))
        known = groups.get(key)
        groups[key] = (
            term
            if known is None
            else dataclasses.replace(known, array=known.array + term.array, labels=_all_labels([known, term]))
        )
    return tuple(groups.values())


def _by_choice(item):
    return item[0]


def together(value: Value, is_exact) -> Value:
    """Return a value with those terms added up that cost more apart and lose nothing together.

    The weights of an exact choice sum to one, whatever they multiply: a term may be a part of another one that depends
    on exact choices only, and on all of its own. Log densities stay apart, to be told apart in the plan.

    Args:
        value: its terms, all of one shape.
        is_exact: whether the weighted sum over the values of a choice has no variance.
    """
    if len(value) == 1 or not value[0].shape:
        return value
    groups: list[list[Term]] = []
    for term in sorted(value, key=lambda term: -len(term.samples)):
        hosts = (group for group in groups if _is_part_of(term, group[0]) and all(map(is_exact, group[0].dependence)))
        host = next(hosts, None)
        if host is None:
            groups.append([term])
        else:
            host.append(term)
    return tuple(group[0] if len(group) == 1 else collapse(tuple(group)) for group in groups)


def _is_part_of(term: Term, host: Term) -> bool:
    if term.hidden or host.hidden or term.labels or host.labels or not host.dependence:
        return False
    return set(term.samples) <= set(host.samples) and merge(host.dependence, term.dependence) == host.dependence


def change(term: Term, function, to=None, *, hidden: int | None = None) -> Term:
    """Return a term with a linear function of its array, and with it of its coefficient.

    Args:
        term: the term.
        function: linear; gets an array with the term's leading axes.
        to: where an axis goes, counted from the first hidden one; default: where it was.
        hidden: the new number of hidden axes.
    """
    own = term.own and OwnDensity(term.own.choice, function(term.own.coefficient))
    return Term(
        function(term.array),
        term.samples,
        term.hidden if hidden is None else hidden,
        term.dependence if to is None else move(term.dependence, to),
        own,
        term.labels,
    )
