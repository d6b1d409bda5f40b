"""How the finite sites of a program are summed out: its stages, found before anything runs.

A program is one stage, unless a scan makes a chain of its sites, by what it carries from step to step. Then it is what
is before the scan, the first steps, until what is carried depends on the variables of a fixed number of steps, one
stage for all further steps, and what is after the scan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from vipl._core.compat import Literal
from vipl._core.errors import DensityError
from vipl._core.estimated_density import Body
from vipl.programs.exact import parts
from vipl.programs.exact.stage import OUTSIDE, Handed, Joined, Key, Stage, stage_of
from vipl.programs.exact.variables import Variable
from vipl.programs.segments import Segments
from vipl.programs.staged import is_param
from vipl.transform.provenance import JOINT, Along

_LONGEST_MEMORY = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """The stages of a program.

    Attributes:
        head: the whole program, or what is before the scan.
        first: the first steps of the scan.
        step: every further step, or None.
        tail: what is after the scan, or None where there is none.
        position: of the scan among the program's equations.
    """

    head: Stage
    first: tuple[Stage, ...] = ()
    step: Stage | None = None
    tail: Stage | None = None
    position: int = -1

    @property
    def stages(self) -> list[Stage]:
        """All stages, in order."""
        return [s for s in (self.head, *self.first, self.step, self.tail) if s is not None]

    @property
    def draws(self) -> Iterator[tuple[str, Variable, bool]]:
        """What a draw from the posterior draws, in order: a name, the variable, and whether each further step has it."""
        taken: set[str] = set()
        for stage in reversed(self.stages):
            suffix = "/last" if stage is self.tail else "/first" if stage in self.first else ""
            for i in reversed(stage.order.variables):
                name, age = stage.keys[i]
                name, number = name + suffix * (age != OUTSIDE), 1
                while (free := name if number == 1 else f"{name}_{number}") in taken:
                    number += 1
                taken.add(free)
                yield free, stage.variables[i], stage is self.step


    def further_steps(self, body: Body) -> int:
        """Return how many further steps there are."""
        return body.jaxpr.jaxpr.eqns[self.position].params["length"] - len(self.first)


class NoChain(Exception):
    """A scan cannot be taken step by step, for a reason."""


def plan_of(body: Body, variables: list[Variable], most_states: int, purpose: str) -> Plan:
    """Return the stages of a program.

    Args:
        body: the program.
        variables: its finite sites, to be summed out.
        most_states: how many states a table may have.
        purpose: what is made of the program, for errors.

    Raises:
        DensityError: a table would have more.
    """
    by_key = {(v.name, OUTSIDE): v for v in variables}
    inputs = [Handed(a.shape, a.dtype, {}) for a in body.jaxpr.in_avals]
    whole = Plan(stage_of(parts.Whole(tuple(variables)), body, inputs, [], by_key, list(by_key), lambda _: ()))
    reason = None
    position = _chain(body, whole.head)
    if position is not None:
        try:
            whole = _chain_plan(body, {v.name: v for v in variables}, position)
        except NoChain as no_chain:
            reason = str(no_chain)
    for stage in whole.stages:
        if stage.order.largest > most_states:
            _refuse(stage, body, most_states, purpose, reason)
    return whole


def _chain(body, whole: Stage) -> int | None:
    """Return the position of the scan whose steps are looked at together, or None."""
    depth = len(body.path)
    for variable in whole.variables:
        (path, *_) = (located.path for located in body.sites[variable.name])
        if body.jaxpr.jaxpr.eqns[path[depth]].primitive.name == "scan" and 0 in variable.joint and variable.shape[0] > 1:
            return path[depth]
    return None


def _chain_plan(body, variables: dict[str, Variable], position: int) -> Plan:
    joint: dict[str, set[int]] = {}
    while True:
        try:
            return _Chain(body, variables, position, joint).plan()
        except Joined as joined:
            joint.setdefault(joined.name, set()).add(joined.axis)


class _Chain:
    """Finds the stages of a chain, given joint axes of sites that have shown before."""

    def __init__(self, body: Body, variables, position: int, joint):
        self.body, self.position = body, position
        self.segments = Segments(body, position)
        self.params = self.segments.scan.params
        self.groups: tuple[dict, dict, dict] = ({}, {}, {})
        for name, variable in variables.items():
            at = [located.path[len(body.path)] for located in body.sites[name]]
            part = (max(at) > position) - (min(at) < position) + 1
            variable = variable.in_step() if part == 1 else variable
            for axis in joint.get(name, ()):
                variable = variable.with_joint(axis)
            self.groups[part][name, 0 if part == 1 else OUTSIDE] = variable
        self.variables: dict[Key, Variable] = {}
        inside = [s.statement for s in body.statements if s.path[len(body.path)] == position]
        if any(map(is_param, inside)):
            raise NoChain("a param is inside of it")

    def plan(self) -> Plan:
        """Return the stages."""
        segments, (num_consts, num_carry) = self.segments, self.segments.split
        consts, init, xs = _split(segments.scan.invars, num_consts, num_carry)
        plain = lambda variable: Handed(variable.aval.shape, variable.aval.dtype, {})  # noqa: E731
        of_all = lambda outputs: {key for handed in outputs for key in handed.dependence}  # noqa: E731
        head = self._stage(parts.Before, 0, [plain(v) for v in segments.before.reads], [], of_all)
        known = dict(zip(segments.before.hands_on, head.outputs, strict=True))
        read = lambda atom: plain(atom) if isinstance(atom, Literal) else known.get(atom, plain(atom))  # noqa: E731
        sliced, fixed = [_slice(read(atom)) for atom in xs], [read(atom) for atom in consts]
        stays = of_all([*sliced, *fixed, *(known[v] for v in segments.after.reads if v in known)])
        state = [dataclasses.replace(read(a), dtype=v.dtype) for a, v in zip(init, self._avals(num_consts), strict=False)]
        messages, first, step, ys = list(head.messages), [], None, []
        while len(first) < self.params["length"]:
            stage = self._stage(
                parts.Step, 1, [*fixed, *state, *sliced], messages, lambda outputs: stays | of_all(outputs[:num_carry])
            )
            ys += [h for h, v in zip(stage.outputs[num_carry:], segments.scan.outvars[num_carry:], strict=True) if v in segments.after.reads]
            after = [handed.renamed(_older) for handed in stage.outputs[:num_carry]]
            told = [handed.renamed(_older) for handed in stage.messages]
            self.variables |= {_older(key): v for key, v in zip(stage.keys, stage.variables, strict=True)}
            if (after, told) == (state, messages):
                step = stage
                break
            first.append(stage)
            if len(first) > _LONGEST_MEMORY and len(first) < self.params["length"]:
                raise NoChain(f"what is carried depends on more than the last {_LONGEST_MEMORY} steps")
            state, messages = after, told
        if any(handed.dependence for handed in ys):
            raise NoChain("what it stacks is used after it")
        found = dict(zip(segments.scan.outvars[:num_carry], state, strict=True)) | known
        tail = self._stage(
            parts.After, 2, [found.get(v, plain(v)) for v in segments.after.reads], messages, lambda outputs: ()
        )
        return Plan(head, tuple(first), step, tail, self.position)

    def _avals(self, start):
        return self.params["jaxpr"].in_avals[start:]

    def _stage(self, kind, group, inputs, messages, keep) -> Stage:
        new = self.groups[group]
        function = kind(tuple(new.values()), self.position)
        stage = stage_of(function, self.body, inputs, messages, self.variables | new, list(new), keep)
        self.variables |= dict(zip(stage.keys, stage.variables, strict=True))
        return stage


def _split(items, *sizes):
    start = 0
    for size in sizes:
        yield items[start : start + size]
        start += size
    yield items[start:]


def _older(key: Key) -> Key:
    return key if key[1] == OUTSIDE else (key[0], key[1] + 1)


def _slice(handed: Handed) -> Handed:
    """Return what is known of one element along the first axis of a value."""

    def inner(entry):
        if entry is JOINT:
            return JOINT
        if entry.axis == 0:
            raise NoChain("a step looks at one element of a site from before it")
        return Along(entry.axis - 1)

    dependence = {key: tuple(map(inner, alignment)) for key, alignment in handed.dependence.items()}
    return Handed(handed.shape[1:], handed.dtype, dependence)


def _refuse(stage: Stage, body, most_states, purpose, reason):
    names = list(dict.fromkeys(stage.keys[i][0] for i in stage.order.widest))
    states = stage.order.largest
    number = f"{states:,}" if states < 10**15 else "more than 10^15"
    whole = [f"all elements of {stage.keys[i][0]!r} along axis {a}" for i in stage.order.widest for a in stage.variables[i].joint]
    raise DensityError(
        f"{purpose} by vipl.Exact needs a table of {number} states, of {', '.join(map(repr, names))}"
        + (f": {', '.join(whole)} are looked at together" if whole else "")
        + (f"; the scan cannot be taken step by step, for {reason}." if reason else "."),
        where=body.sites[names[0]][0].statement,
        fix=f"vipl.Importance(…), which draws; vipl.Exact(most_states=…) allows more than {most_states:,}",
    )
