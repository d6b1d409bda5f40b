"""The static pass: from the dependences of a jaxpr's inputs to those of everything in it.

Nothing runs. Equations that hold jaxprs are looked into; a loop is walked until its carry settles, which it does,
because a dependence can only lose alignment.
"""

from __future__ import annotations

from typing import Any

from vipl._core.compat import scan_split
from vipl._core.equations import pass_over
from vipl._core.errors import ProgramError
from vipl.transform.provenance.alignment import (
    JOINT,
    Along,
    Dependence,
    Inside,
    joint,
    merge,
    merge_all,
    move,
)
from vipl.transform.provenance.axis_maps import RULES
from vipl.transform.provenance.summaries import state_after, state_before


class Context:
    """Where in the nest of jaxprs the walk is, and what to do with statements there.

    Attributes:
        visit: `visit(eqn, operands, context)` returns the dependence of a statement's value, and
            `visit.is_several(choice, path)` whether a choice under a path has several; None without statements.
        path: position in the nest, as the interpreter counts it.
        around: the `Inside` markers of the scans and vmaps around, outermost first.
    """

    def __init__(self, visit: Any = None, path=(), around=()):
        self.visit, self.path, self.around = visit, path, around

    def is_several(self, choice) -> bool:
        """Return whether a choice inside has several values."""
        return self.visit is not None and self.visit.is_several(choice, self.path)

    def at(self, *steps, inside: Inside | None = None) -> Context:
        """Return the context some steps further in."""
        around = self.around if inside is None else (*self.around, inside)
        return Context(self.visit, (*self.path, *steps), around)


def propagate(jaxpr, dependences: list[Dependence], context: Context | None = None) -> list[Dependence]:
    """Return the dependences of a jaxpr's results.

    Args:
        jaxpr: open or closed.
        dependences: one for each input.
        context: needed where there are statements inside.
    """
    context = context or Context()
    step = lambda index, eqn, incoming: propagate_equation(eqn, incoming, context.at(index))  # noqa: E731
    return pass_over(jaxpr, dependences, {}, step)


def propagate_equation(eqn, operands: list[Dependence], context: Context | None = None) -> list[Dependence]:
    """Return the dependences of one equation's results."""
    context = context or Context()
    name = eqn.primitive.name
    if name == "vipl_statement":
        return [context.visit(eqn, operands, context)]
    if not any(operands) and context.visit is None:
        return [{} for _ in eqn.outvars]
    if any(operands):
        _refuse_references(eqn)
    if name in _LOOK_INSIDE:
        return _LOOK_INSIDE[name](eqn, operands, context)
    rule = RULES.get(name)
    if rule is None:
        mixed = merge_all(map(joint, operands))
        return [mixed for _ in eqn.outvars]
    maps = rule(eqn)
    result = merge_all(move(d, lambda axis, m=m: m[axis]) for d, m in zip(operands, maps, strict=True))
    return [result for _ in eqn.outvars]


def _refuse_references(eqn):
    """A mutable array can carry a choice past everything that this pass sees."""
    if any(hasattr(atom.aval, "inner_aval") for atom in (*eqn.invars, *eqn.outvars)):
        raise ProgramError(
            f"{eqn.primitive.name} on a mutable array (jax.Ref) meets a value that depends on a choice.",
            fix="update arrays functionally, x = x.at[i].set(value), and carry them through jax.lax.scan",
        )


def _one_by_one(eqn, operands, context):
    return operands


def _call(eqn, operands, context):
    body = eqn.params["jaxpr" if "jaxpr" in eqn.params else "call_jaxpr"]
    return propagate(body, operands, context.at(0))


def _expect(eqn, operands, context):
    """The choices inside are summed out."""
    results = _call(eqn, operands, context)
    here = context.path
    return [{c: alignment for c, alignment in d.items() if c[: len(here)] != here} for d in results]


def _linear_solve(eqn, operands, context):
    """The solution is what the `solve` function makes of its constants and the right-hand side."""
    matvec, vecmat, solve, transpose_solve = eqn.params["const_lengths"]
    start = matvec + vecmat
    constants, right = operands[start : start + solve], operands[start + solve + transpose_solve :]
    return propagate(eqn.params["jaxprs"].solve, [*constants, *right], context.at(0))


def _cond(eqn, operands, context):
    predicate, *operands = operands
    branches = enumerate(eqn.params["branches"])
    results = [propagate(branch, operands, context.at(i)) for i, branch in branches]
    return [merge(predicate, *parts) for parts in zip(*results, strict=True)]


def _while(eqn, operands, context):
    """The carry depends on the predicate; one of a batch of loops has its own, and stops on its own."""
    params = eqn.params
    first, second = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    asked, fixed, state = operands[:first], operands[first:second], operands[second:]
    settled = False
    while not settled:
        [predicate] = propagate(params["cond_jaxpr"], [*asked, *state], context.at(0))
        results = propagate(params["body_jaxpr"], [*fixed, *state], context.at(1))
        after = [merge(old, new, predicate) for old, new in zip(state, results, strict=True)]
        settled, state = after == state, after
    return state


def _scan(eqn, operands, context):
    """A step sees one element of the scanned axis; what came by an earlier step is causal along it.

    Of choices with several values a step knows the state before it (`summaries`), and what follows the loop the last.
    """
    num_consts, num_carry = scan_split(eqn.params)
    steps = Inside()
    fixed = operands[:num_consts]
    state = operands[num_consts : num_consts + num_carry]
    scanned = [_enter(d, steps) for d in operands[num_consts + num_carry :]]
    within = context.at(0, inside=steps)
    before, after = state_before(context.path), state_after(context.path)
    settled = False
    while not settled:
        results = propagate(eqn.params["jaxpr"], [*fixed, *state, *scanned], within)
        passed_on = [_on_axis(d, steps, Along(steps, causal=True)) for d in results[:num_carry]]
        passed_on = [_as_state(d, context, before, steps, keeps_steps=True) for d in passed_on]
        joined = [merge(old, new) for old, new in zip(state, passed_on, strict=True)]
        settled, state = joined == state, joined
    finals = [_as_state(d, context, after, steps, keeps_steps=False) for d in state]
    finals = [_on_axis(d, steps, JOINT) for d in finals]
    return [*finals, *[_leave(d, steps, reverse=eqn.params["reverse"]) for d in results[num_carry:]]]


def _as_state(dependence: Dependence, context, name, steps: Inside, *, keeps_steps: bool) -> Dependence:
    """Return a dependence with a state, by its name, in place of the choices of several values that it stands for."""
    parts = []
    for choice, alignment in dependence.items():
        if context.is_several(choice):
            kept = [e for e in alignment if keeps_steps or not _is_at(e, steps)]
            choice, alignment = name, tuple(Along(steps) if _is_at(e, steps) else e for e in kept)
        parts.append({choice: alignment})
    return merge(*parts)


def _is_at(entry, inside: Inside) -> bool:
    return entry is not JOINT and entry.axis is inside


def _vmap(eqn, operands, context):
    """Lanes do not see each other."""
    lanes = Inside()
    entered = [_enter(d, lanes) if axis == 0 else d for d, axis in zip(operands, eqn.params["in_axes"], strict=True)]
    results = propagate(eqn.params["jaxpr"], entered, context.at(0, inside=lanes))
    return [_leave(d, lanes) for d in results]


def _enter(dependence: Dependence, inside: Inside) -> Dependence:
    """Return a dependence as the body sees it, which gets one element of axis 0."""
    return move(dependence, lambda axis: Along(inside) if axis == 0 else Along(axis - 1))


def _leave(dependence: Dependence, inside: Inside, reverse: bool = False) -> Dependence:
    """Return the dependence of a stacked result, whose axis 0 is that of the steps or lanes."""
    outer = move(dependence, lambda axis: Along(axis + 1))

    def entry(e):
        if e is JOINT or e.axis is not inside:
            return e
        return JOINT if reverse and e.causal else Along(0, e.causal)

    return {choice: tuple(map(entry, alignment)) for choice, alignment in outer.items()}


def _on_axis(dependence: Dependence, inside: Inside, replacement) -> Dependence:
    """Return a dependence with what runs along the steps replaced."""
    change = lambda e: replacement if e is not JOINT and e.axis is inside else e  # noqa: E731
    return {choice: tuple(map(change, alignment)) for choice, alignment in dependence.items()}


_LOOK_INSIDE = {
    **dict.fromkeys(("jit", "custom_jvp_call", "custom_vjp_call"), _call),
    **dict.fromkeys(("remat2", "closed_call", "composite"), _call),
    **dict.fromkeys(("optimization_barrier", "device_put"), _one_by_one),
    "custom_linear_solve": _linear_solve,
    "cond": _cond,
    "while": _while,
    "scan": _scan,
    "vipl_vmap": _vmap,
    "vipl_expect": _expect,
}
