"""Accumulators: the carry components of a `scan` that its body only adds to.

Such a component is, after the loop, what it was before plus what the steps added. In the body the old value goes into
one sum, and that sum into the next, until the new value is reached; nothing else sees any of them. As the new value is
the old one plus something, what a step adds is what the body makes of a zero.

>>> import jax, jax.numpy as jnp
>>> from vipl.transform.rewriting.accumulators import accumulators
>>> body = lambda carry, x: ((0.5 * carry[0] + x, carry[1] + x), None)
>>> loop = jax.make_jaxpr(lambda xs: jax.lax.scan(body, (0.0, 0.0), xs))(jnp.ones(3))
>>> accumulators(loop.eqns[-1])
(1,)
"""

from __future__ import annotations

import jax.numpy as jnp

from vipl._core.compat import Literal, open_jaxpr, scan_split
from vipl._core.constructs import CONSTRUCTS
from vipl._core.interpreter import has_statements
from vipl._core.statement import statement_p


def accumulators(eqn) -> tuple[int, ...]:
    """Return which carry components of a `scan` equation are floating-point numbers that it only adds to."""
    return tuple(place for place in range(scan_split(eqn.params)[1]) if _accumulates(eqn, place))


def find_changes(jaxpr, sampled: list[bool], found: dict[int, frozenset[int]]) -> bool:
    """Note which equations give up accumulators, or hold one that does; returns whether any does.

    Args:
        jaxpr: an open jaxpr.
        sampled: of each input, whether it may depend on what a statement returned.
        found: to fill: `{id of an equation: carry components that it gives up}`.
    """
    depends = {atom for atom, is_sampled in zip(jaxpr.invars, sampled, strict=True) if is_sampled}
    any_change = False
    for eqn in jaxpr.eqns:
        operands = [not isinstance(atom, Literal) and atom in depends for atom in eqn.invars]
        inside = has_statements(eqn)
        if not (inside or any(operands) or eqn.primitive is statement_p):
            continue
        depends.update(eqn.outvars)
        name = eqn.primitive.name
        if name == "while" or not (inside or name in _LOOKED_INTO):
            continue
        given_up: frozenset[int] = frozenset()
        if name == "scan":
            num_consts, num_carry = scan_split(eqn.params)
            operands[num_consts : num_consts + num_carry] = [True] * num_carry
            given_up = frozenset(i for i in accumulators(eqn) if inside or eqn.outvars[i].aval.shape == ())
        changes = bool(given_up)
        for _, body, _ in CONSTRUCTS[name].bodies(eqn, (), {}):
            opened, _ = open_jaxpr(body)
            entering = operands[len(operands) - len(opened.invars) :]  # all but the index of a cond
            changes = find_changes(opened, entering, found) or changes
        if changes:  # a body that is called twice has its equations met twice
            found[id(eqn)] = found.get(id(eqn), frozenset()) | given_up
            any_change = True
    return any_change


_LOOKED_INTO = ("jit", "pjit", "scan")  # also without statements: the evaluation may reach their sums


def _accumulates(eqn, place: int) -> bool:
    num_consts, _ = scan_split(eqn.params)
    body, _ = open_jaxpr(eqn.params["jaxpr"])
    old = body.invars[num_consts + place]
    return jnp.issubdtype(old.aval.dtype, jnp.floating) and _follow(body, old) == (place, True)


def _follow(jaxpr, atom) -> tuple[int, bool] | None:
    """Return which result a value becomes by nothing but additions, and whether there are any; None if by more."""
    added = False
    while True:
        users = [(eqn, index) for eqn in jaxpr.eqns for index, used in enumerate(eqn.invars) if used is atom]
        places = [place for place, result in enumerate(jaxpr.outvars) if result is atom]
        if len(users) + len(places) != 1:
            return None
        if places:
            return places[0], added
        [(eqn, index)] = users
        rule = _PASSING_ON.get(eqn.primitive.name)
        passed_on = rule(eqn, index) if rule is not None else None
        if passed_on is None:
            return None
        place, more = passed_on
        atom, added = eqn.outvars[place], added or more


def _add(eqn, index):
    return (0, True) if _same_type(eqn, index) else None


def _sub(eqn, index):
    return (0, True) if index == 0 and _same_type(eqn, index) else None


def _convert(eqn, index):
    return (0, False) if _same_type(eqn, index) else None


def _same_type(eqn, index) -> bool:
    old, new = eqn.invars[index].aval, eqn.outvars[0].aval
    return (old.shape, old.dtype) == (new.shape, new.dtype)


def _call(eqn, index):
    body, _ = open_jaxpr(eqn.params["jaxpr" if "jaxpr" in eqn.params else "call_jaxpr"])
    return _follow(body, body.invars[index])


def _vmap(eqn, index):
    return _call(eqn, index) if eqn.params["in_axes"][index] == 0 else None


def _scan(eqn, index):
    """An inner loop may begin with the outer accumulator."""
    num_consts, num_carry = scan_split(eqn.params)
    place = index - num_consts
    return (place, True) if 0 <= place < num_carry and _accumulates(eqn, place) else None


_PASSING_ON = {
    **dict.fromkeys(("add", "add_any"), _add),
    "sub": _sub,
    **dict.fromkeys(("convert_element_type", "copy"), _convert),
    **dict.fromkeys(("jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint"), _call),
    "vipl_vmap": _vmap,
    "scan": _scan,
}
