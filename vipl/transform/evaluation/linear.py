"""What keeps terms apart: the primitives that are linear in what depends on a choice.

A rule takes the equation and the values of its operands, and returns the value of its result, or None where the
equation is not linear after all (a product of two values that both depend on choices).
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jax import lax

from vipl.transform.evaluation.terms import Term, Value, add, change, is_plain
from vipl.transform.provenance.alignment import JOINT, Along
from vipl.transform.provenance.axis_maps import RULES


def _shaped(value: Value, shape) -> Value:
    """Return a value with its terms stretched to the shape of the result, as an elementwise primitive does."""
    return tuple(term if term.shape == shape else _stretched(term, shape) for term in value)


def _stretched(term: Term, shape) -> Term:
    own = term.shape
    dimensions = range(len(own))  # of equal rank, or a scalar

    def to(axis):
        inner = axis - term.hidden
        return JOINT if inner >= 0 and own[inner] != shape[inner] else Along(axis)

    return change(term, lambda x: _broadcast(x, term.lead, shape, dimensions), to)


def _broadcast(array, lead, shape, dimensions):
    front = jnp.shape(array)[:lead]
    kept = (*range(lead), *(lead + d for d in dimensions))
    return lax.broadcast_in_dim(jnp.asarray(array), (*front, *shape), kept)


def _add(eqn, operands):
    if eqn.outvars[0].aval.dtype == bool:
        return None  # it means "or" there
    return add(*(_shaped(value, eqn.outvars[0].aval.shape) for value in operands))


def _negated(value):
    return tuple(change(term, jnp.negative) for term in value)


def _sub(eqn, operands):
    left, right = (_shaped(value, eqn.outvars[0].aval.shape) for value in operands)
    return add(left, _negated(right))


def _mul(eqn, operands):
    left, right = operands
    if is_plain(left):
        left, right = right, left
    if not is_plain(right):
        return None
    factor = sum(term.array for term in right)
    return tuple(change(term, lambda x: x * factor) for term in _shaped(left, eqn.outvars[0].aval.shape))


def _div(eqn, operands):
    left, right = operands
    if not is_plain(right) or not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.inexact):
        return None  # the quotient of integers drops what is left
    divisor = sum(term.array for term in right)
    return tuple(change(term, lambda x: x / divisor) for term in _shaped(left, eqn.outvars[0].aval.shape))


def _convert(eqn, operands):
    old, new = eqn.invars[0].aval.dtype, eqn.params["new_dtype"]
    if not jnp.issubdtype(new, jnp.floating) or (jnp.issubdtype(old, jnp.bool_) and len(operands[0]) > 1):
        return None
    return tuple(change(term, lambda x: lax.convert_element_type(x, new)) for term in operands[0])


def _reduce_sum(eqn, operands):
    return tuple(_sum(term, eqn.params["axes"]) for term in operands[0])


def _sum(term: Term, axes) -> Term:
    """Sum the axes along which nothing runs; hide those along which a choice does."""
    lined_up = {e.axis - term.hidden for a in term.dependence.values() for e in a if e is not JOINT}
    hide = [axis for axis in axes if axis in lined_up]
    drop = [axis for axis in axes if axis not in lined_up]
    rank = len(term.shape)
    first = len(term.samples)
    kept = [axis for axis in range(rank) if axis not in axes]
    order = [*hide, *kept]

    def function(x):
        x = jnp.sum(x, axis=tuple(term.lead + axis for axis in drop)) if drop else x
        left = [axis for axis in range(rank) if axis not in drop]
        moved = [term.lead + left.index(axis) for axis in order]
        return jnp.transpose(x, (*range(first + term.hidden), *moved))

    def to(axis):
        if axis < term.hidden:
            return Along(axis)
        return Along(term.hidden + order.index(axis - term.hidden)) if axis - term.hidden in order else JOINT

    return change(term, function, to, hidden=term.hidden + len(hide))


def _structural(function):
    """A rule for a primitive that only moves elements: `function(eqn, array, lead)`."""

    def rule(eqn, operands):
        maps = RULES[eqn.primitive.name](eqn)[0]

        def moved(term):
            def to(axis):
                if axis < term.hidden:
                    return Along(axis)
                target = maps[axis - term.hidden]
                return JOINT if target is JOINT else Along(target.axis + term.hidden)

            return change(term, lambda x: function(eqn, x, term.lead), to)

        return tuple(moved(term) for term in operands[0])

    return rule


def _reshape(eqn, x, lead):
    return jnp.reshape(x, (*jnp.shape(x)[:lead], *eqn.outvars[0].aval.shape))


def _transpose(eqn, x, lead):
    return jnp.transpose(x, (*range(lead), *(lead + axis for axis in eqn.params["permutation"])))


def _broadcast_in_dim(eqn, x, lead):
    return _broadcast(x, lead, eqn.outvars[0].aval.shape, eqn.params["broadcast_dimensions"])


LINEAR = {
    "add": _add,
    "add_any": _add,
    "sub": _sub,
    "neg": lambda eqn, operands: _negated(operands[0]),
    "mul": _mul,
    "div": _div,
    "copy": lambda eqn, operands: operands[0],
    "convert_element_type": _convert,
    "reduce_sum": _reduce_sum,
    "reshape": _structural(_reshape),
    "squeeze": _structural(_reshape),
    "transpose": _structural(_transpose),
    "broadcast_in_dim": _structural(_broadcast_in_dim),
}


def without_marks(value: Value) -> Value:
    """Return a value whose terms are nobody's own density."""
    return tuple(dataclasses.replace(term, own=None) for term in value)
