"""What the provenance pass claims is true: nothing moves that it says cannot.

Random programs are composed of every primitive that has a rule, and of some that have none. One element of
one input is changed; every element of a result that moves must be allowed to by the claim about that input.
"""

import jax
import numpy as np
import pytest
from helpers import LONG
from provenance.checking import check, primitives
from provenance.drawing import draw_program
from provenance.registry import OPERATIONS

from vipl.transform.provenance import Along, walk
from vipl.transform.provenance.axis_maps import RULES
from vipl.transform.provenance.moving import drop, identity, keep, rank

ROUNDS = 30 if LONG else 3  # in each, every operation is used once, together with another one
CHUNK = 25

# Primitives that only some versions of JAX emit, or none for what is public.
OF_SOME_VERSIONS = {"closed_call", "le_to", "log2", "lt_to", "polynomial"}


def pairs():
    """List the programs: a seed, and the names of two operations."""
    names = sorted(OPERATIONS)
    for turn in range(ROUNDS):
        order = np.random.default_rng(turn).permutation(names).tolist()
        for at in range(0, len(order), 2):
            yield (turn, at), tuple(order[at : at + 2])


PAIRS = list(pairs())


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(PAIRS), CHUNK))
def test_no_claim_is_too_much(start):
    reports = []
    for seed, names in PAIRS[start : start + CHUNK]:
        rng = np.random.default_rng(seed)
        reports.append(check(draw_program(rng, names, OPERATIONS), rng))
    wrong = [message for report in reports for message in report.wrong]
    assert not wrong, "\n\n".join(wrong)
    assert sum(report.claims for report in reports) > 3 * len(reports), "hardly anything was claimed"


def test_every_rule_is_used():
    seen = set()
    for number, name in enumerate(OPERATIONS):
        for seed in range(2):
            program = draw_program(np.random.default_rng([number, seed]), [name], OPERATIONS, 0, 0)
            seen |= set(primitives(jax.make_jaxpr(program.function)(*program.inputs)))
    known = {*RULES, *walk._LOOK_INSIDE} - {"vipl_expect"}  # only in objectives: tests/laws/test_nested_expectations.py
    assert known - seen <= OF_SOME_VERSIONS
    assert len(seen - known) >= 4, "no unknown primitive was used"


def stay(eqn):
    """Wrong for anything that moves elements: every axis stays where it is."""
    return [identity(atom) for atom in eqn.invars]


def causal_in_reverse(eqn):
    return [tuple(Along(a, causal=a == eqn.params["axis"]) for a in range(rank(eqn.invars[0])))]


def reshape_by_size(eqn):
    after = eqn.outvars[0].aval.shape
    return [tuple(Along(after.index(size)) if size in after else None for size in eqn.invars[0].aval.shape)]


def leave_ignoring_direction(dependence, inside, reverse=False, leave=walk._leave):
    return leave(dependence, inside)


def carry_in_line(dependence, inside, replacement, on_axis=walk._on_axis):
    return on_axis(dependence, inside, replacement and Along(inside))


def cond_without_predicate(eqn, operands, context, cond=walk._cond):
    return cond(eqn, [{}, *operands[1:]], context)


def while_without_predicate(eqn, operands, context, loop=walk._while):
    count = eqn.params["cond_nconsts"]
    return loop(eqn, [*[{} for _ in operands[:count]], *operands[count:]], context)


def vmap_of_all_operands(eqn, operands, context, vmap=walk._vmap):
    return vmap(eqn.replace(params={**eqn.params, "in_axes": (0,) * len(operands)}), operands, context)


def wrong_rule(name, rule):
    return lambda monkeypatch: monkeypatch.setitem(RULES, name, rule)


def wrong_walk(name, function):
    def plant(monkeypatch):
        if name in walk._LOOK_INSIDE:
            monkeypatch.setitem(walk._LOOK_INSIDE, name, function)
        else:
            monkeypatch.setattr(walk, name, function)

    return plant


# Each with an operation that shows it.
PLANTED = {
    "transpose keeps the axes": ("transpose", wrong_rule("transpose", stay)),
    "reshape goes by sizes alone": ("reshape", wrong_rule("reshape", reshape_by_size)),
    "stretched axes are in line": ("stretched", wrong_rule("mul", stay)),
    "concatenate does not shift": ("concatenate", wrong_rule("concatenate", stay)),
    "slices do not shift": ("slice", wrong_rule("slice", stay)),
    "rev keeps the order": ("rev", wrong_rule("rev", stay)),
    "pad does not shift": ("pad", wrong_rule("pad", stay)),
    "split starts at 0": ("split_sizes", wrong_rule("split", stay)),
    "squeeze drops the first axis": ("squeeze", wrong_rule("squeeze", lambda eqn: drop(eqn, {0}))),
    "sort keeps the order": ("sort", wrong_rule("sort", stay)),
    "top_k is of the last axis": (
        "top_k",
        wrong_rule("top_k", lambda eqn: keep(eqn, {rank(eqn.invars[0]) - 1})),
    ),
    "a permuting gather is the identity": ("take_fixed", wrong_rule("gather", stay)),
    "what is scattered stays": ("batched_scatter", wrong_rule("scatter", stay)),
    "a slice starts where it would": ("dynamic_slice", wrong_rule("dynamic_slice", stay)),
    "an update starts at 0": ("dynamic_update_slice", wrong_rule("dynamic_update_slice", stay)),
    "cumsum is aligned": ("cumsum", wrong_rule("cumsum", stay)),
    "reverse cumsum is causal": ("cumsum_reverse", wrong_rule("cumsum", causal_in_reverse)),
    "reductions keep the first axes": ("sum", wrong_rule("reduce_sum", lambda eqn: keep(eqn, set()))),
    "contractions are aligned": ("dot_general", wrong_rule("dot_general", stay)),
    "windows do not overlap": ("windows", wrong_rule("reduce_window_sum", stay)),
    "matrices are elementwise": ("cholesky", wrong_rule("cholesky", stay)),
    "a reverse scan is causal": ("recurrence", wrong_walk("_leave", leave_ignoring_direction)),
    "a carry is aligned": ("recurrence", wrong_walk("_on_axis", carry_in_line)),
    "branches do not depend on the predicate": ("branches", wrong_walk("cond", cond_without_predicate)),
    "loops do not depend on their limit": ("while", wrong_walk("while", while_without_predicate)),
    "lanes share nothing": ("structural_vmap", wrong_walk("vipl_vmap", vmap_of_all_operands)),
    "the unknown is elementwise": ("pure_callback", wrong_rule("pure_callback", stay)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_wrong_rule_is_caught(name, monkeypatch):
    operation, plant = PLANTED[name]
    plant(monkeypatch)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        if check(draw_program(rng, [operation], OPERATIONS, 0, 0), rng).wrong:
            return
    pytest.fail("20 programs did not show it")
