"""Weights of choices, and how they meet the terms that depend on them.

At the output every term is multiplied by the weights of exactly the choices that it depends on, element by element
along aligned axes, cumulatively along causal ones, as a product along joint ones, and all of it is summed.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from vipl.transform.evaluation.products import Part, Products
from vipl.transform.evaluation.terms import OwnDensity, Term, Value, collapse, union, with_samples
from vipl.transform.provenance.alignment import JOINT, Dependence


@dataclasses.dataclass(frozen=True)
class Layout:
    """How the weights of one choice lie in an array.

    Attributes:
        samples: the choices whose sample axes lead; the choice itself among them if it has several values.
        log: whether `array` holds logarithms.
        joint: batch axes that the estimator has already taken together (of size 1).
        dependence: what the choice itself depends on, and how that lines up with its own batch axes.
    """

    samples: tuple
    log: bool
    joint: tuple[int, ...] = ()
    dependence: Dependence = dataclasses.field(default_factory=dict, hash=False, compare=False)


@dataclasses.dataclass(frozen=True)
class ChoiceWeights(Layout):
    """The weights of one choice.

    Attributes:
        array: `(*samples, *batch)`; the weights, or their logarithms.
    """

    array: jax.Array = dataclasses.field(kw_only=True)


def expected(value: Value, weights: dict) -> jax.Array:
    """Return the sum of all terms with their weights, a scalar."""
    parts = [jnp.sum(term.array) for term in close(value, weights)]
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result


def close(value: Value, weights: dict, inside=None) -> Value:
    """Take the expectation over choices; what remains depends on the other ones only.

    Args:
        value: its terms.
        weights: `ChoiceWeights` by choice.
        inside: the choices; default: all.
    """
    products = Products()
    return tuple(_closed(term, weights, inside, products) for term in value)


def close_auxiliary(value: Value, weights: dict, inside=None) -> Value:
    """Return an auxiliary result as it is drawn; where it has several values, their weighted mean."""
    term = collapse(value)
    if not any(choice in weights and (inside is None or choice in inside) for choice in term.samples):
        return (dataclasses.replace(term, dependence={c: a for c, a in term.dependence.items() if c in term.samples}),)
    if not jnp.issubdtype(jnp.result_type(term.array), jnp.inexact):
        term = dataclasses.replace(term, array=term.array.astype(float))
    return close((term,), weights, inside)


def _closed(term: Term, weights: dict, inside, products: Products) -> Term:
    needed = {c: weights[c] for c in term.dependence if inside is None or c in inside}
    if not needed:
        return term
    outer = {c for weight in needed.values() for c in weight.samples if c not in needed}
    factor, samples = place_all(term, needed, products, outer.union(term.samples))
    array = with_samples(term.array, term.samples, samples)
    if samples:  # a support point of probability zero contributes zero, also where its cost is infinite
        array = jnp.where((factor == 0) & ~jnp.isfinite(array), 0.0, array)
    summed, samples = _sum_out(array * factor, samples, needed)
    own = term.own
    if own is not None and own.choice in needed:
        score, own_samples = _sum_out(_own_score(term, own, weights[own.choice]), term.samples, needed)
        summed = summed - with_samples(score, own_samples, samples)
    rest = {c: alignment for c, alignment in term.dependence.items() if c not in needed}
    return Term(summed, samples, term.hidden, rest, labels=term.labels)


def _sum_out(array, samples: tuple, choices):
    """Sum over the sample axes of choices; returns the sum and the sample axes that are left."""
    gone = tuple(axis for axis, choice in enumerate(samples) if choice in choices)
    left = tuple(choice for choice in samples if choice not in choices)
    return (jnp.sum(array, axis=gone) if gone else array), left


def place_all(term: Term, needed: dict, products: Products | None = None, keep=None):
    """Return the product of the weights of choices where a term has them, and its sample axes.

    Args:
        term: the term.
        needed: the weights, by choice; the term depends on each.
        products: what was computed for other terms.
        keep: choices whose sample axes stay, while those of the others are summed out; default: all.
    """
    products = products or Products()
    keep = {c for w in needed.values() for c in w.samples} if keep is None else keep
    parts: dict[bool, list[Part]] = {True: [], False: []}
    rank = term.hidden + len(term.shape)
    for choice in sorted(needed):
        weight = needed[choice]
        plain = jnp.ndim(weight.array) == 0
        key = (choice,) if plain else (choice, term.dependence[choice], rank)
        place = lambda: (weight.array if plain else _place(term, choice, weight), weight.samples)  # noqa: B023, E731
        parts[weight.log].append(products.once(key, place))
    product = products.product(parts[False], parts[True], keep)
    samples = union(term.samples, product.samples)
    return with_samples(product.array, product.samples, samples), samples


def _place(term: Term, choice, weight: ChoiceWeights):
    """Return a choice's weights with their batch axes where the term has them."""
    alignment, array = term.dependence[choice], weight.array
    lead = len(weight.samples)
    rank = term.hidden + len(term.shape)
    places = {}
    for axis, entry in enumerate(alignment):
        if entry is JOINT or axis in weight.joint:
            continue
        places[axis] = entry.axis
        if entry.causal:
            array = (jnp.cumsum if weight.log else jnp.cumprod)(array, axis=lead + axis)
    gone = tuple(lead + axis for axis in range(len(alignment)) if axis not in places)
    if gone:
        array = (jnp.sum if weight.log else jnp.prod)(array, axis=gone)
    kept = sorted(places)
    order = sorted(kept, key=places.__getitem__)
    array = jnp.transpose(array, (*range(lead), *(lead + kept.index(axis) for axis in order)))
    shape = [1] * rank
    for axis in order:
        shape[places[axis]] = jnp.shape(weight.array)[lead + axis]
    return jnp.reshape(array, (*jnp.shape(array)[:lead], *shape))


def _own_score(term: Term, own: OwnDensity, weight: ChoiceWeights):
    """Return c·(ω − 1) for a term c·log q of a choice itself.

    Its value is 0 and its derivatives have mean 0. Subtracting it removes from the gradient the direct derivative of
    log q, which is noise of mean zero, and leaves every higher derivative right.
    """
    placed = _place(term, own.choice, weight)
    excess = with_samples(jnp.expm1(placed) if weight.log else placed - 1, weight.samples, term.samples)
    return own.coefficient * excess
