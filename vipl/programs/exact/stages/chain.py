"""The stages of a program with a chain, found by looking at steps until what they hand on does not change any more."""

from __future__ import annotations

import dataclasses

from vipl._core.compat import Literal
from vipl.programs.exact.stages import parts
from vipl.programs.exact.stages.plan import Plan
from vipl.programs.exact.stages.stage import OUTSIDE, Handed, Key, Stage
from vipl.programs.exact.stages.stage_of import Joined, stage_of
from vipl.programs.exact.tables.variables import Variable
from vipl.programs.segments import Segments
from vipl.programs.staged import is_param
from vipl.transform.provenance import JOINT, Along

_LONGEST_MEMORY = 4


class NoChain(Exception):
    """A scan cannot be taken step by step, for a reason."""


def chain_plan(body, variables: dict[str, Variable], position: int) -> Plan:
    """Return the stages of a program.

    Args:
        body: the program.
        variables: its finite sites, by name.
        position: of the scan among its equations.

    Raises:
        NoChain: its steps cannot be taken one by one.
    """
    joint: dict[str, set[int]] = {}
    while True:
        try:
            return _Chain(body, variables, position, joint).plan()
        except Joined as joined:
            joint.setdefault(joined.name, set()).add(joined.axis)


class _Chain:
    """Finds the stages of a chain, given joint axes of sites that have shown before."""

    def __init__(self, body, variables, position: int, joint):
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
        state = [
            dataclasses.replace(read(a), dtype=v.dtype) for a, v in zip(init, self._avals(num_consts), strict=False)
        ]
        messages, first, step, ys = list(head.messages), [], None, []
        while len(first) < self.params["length"]:
            stage = self._stage(
                parts.Step, 1, [*fixed, *state, *sliced], messages, lambda outputs: stays | of_all(outputs[:num_carry])
            )
            ys += [
                h
                for h, v in zip(stage.outputs[num_carry:], segments.scan.outvars[num_carry:], strict=True)
                if v in segments.after.reads
            ]
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
