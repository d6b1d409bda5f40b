"""A state-space program in its parts: what is before its scan, the step of the scan, what is after it.

Particles run through it in lockstep. What does not depend on their draws is computed once for all of them.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from vipl._core.compat import Literal, scan_split
from vipl._core.errors import ProgramError
from vipl._core.estimated_density import Body
from vipl._core.interpreter import has_statements, interpret, statements_inside
from vipl._core.statement import statement_p
from vipl.programs.staged import is_param


@dataclasses.dataclass(frozen=True)
class Piece:
    """Some equations of a jaxpr, that read variables and hand others on."""

    jaxpr: Any
    indices: tuple[int, ...]
    path: tuple[int, ...]

    @property
    def reads(self):
        """The variables that it reads, in order."""
        return self.jaxpr.invars

    @property
    def hands_on(self):
        """The variables that it hands on, in order."""
        return self.jaxpr.outvars

    def run(self, values, handler, given):
        """Run it with the values of what it reads; returns those of what it hands on, and what statements put out."""
        return interpret(self.jaxpr, [], values, handler, given, self.path, self.indices)


@dataclasses.dataclass(frozen=True)
class Segments:
    """A body in segments.

    Attributes:
        body: the body, with one scan that has latent sites.
        position: of the scan among its equations.
    """

    body: Body
    position: int

    @property
    def _jaxpr(self):
        return self.body.jaxpr.jaxpr

    @property
    def scan(self):
        """The equation of the scan."""
        return self._jaxpr.eqns[self.position]

    @property
    def scan_path(self) -> tuple[int, ...]:
        """Where the body of the scan stands."""
        return (*self.body.path, self.position, 0)

    @functools.cached_property
    def _of_particles(self) -> list[int]:
        """Positions of the equations that depend on what particles draw, or have statements themselves."""
        touched, found = set(), []
        for index, eqn in enumerate(self._jaxpr.eqns):
            own = _speaks(eqn) or any(not isinstance(a, Literal) and a in touched for a in eqn.invars)
            if own:
                found.append(index)
                touched.update(eqn.outvars)
        return found

    @functools.cached_property
    def shared(self) -> Piece:
        """What is the same for all particles."""
        own = set(self._of_particles)
        positions = [i for i in range(len(self._jaxpr.eqns)) if i not in own]
        return self._piece(positions, [self._jaxpr.eqns[i] for i in own])

    @functools.cached_property
    def before(self) -> Piece:
        """What particles do before the scan."""
        positions = [i for i in self._of_particles if i < self.position]
        return self._piece(positions, [self._jaxpr.eqns[i] for i in self._of_particles if i >= self.position])

    @functools.cached_property
    def after(self) -> Piece:
        """What particles do after it."""
        return self._piece([i for i in self._of_particles if i > self.position], [])

    def _piece(self, positions, readers) -> Piece:
        eqns = [self._jaxpr.eqns[i] for i in positions]
        made = [v for eqn in eqns for v in eqn.outvars]
        wanted = {a for eqn in readers for a in eqn.invars if not isinstance(a, Literal)}
        inner = set(made)
        reads = dict.fromkeys(a for e in eqns for a in e.invars if not isinstance(a, Literal) and a not in inner)
        jaxpr = self._jaxpr.replace(
            constvars=[], invars=list(reads), outvars=[v for v in made if v in wanted], eqns=eqns
        )
        return Piece(jaxpr, tuple(positions), self.body.path)

    @property
    def split(self) -> tuple[int, int]:
        """How many operands of the scan are constants, and how many are carried."""
        return scan_split(self.scan.params)


def segments(body: Body, purpose: str) -> Segments:
    """Return a body in segments.

    Raises:
        ProgramError: it has no scan with latent sites, or several.
    """
    latent = {path[len(body.path)] for path in body.names}
    eqns = body.jaxpr.jaxpr.eqns
    scans = [i for i, eqn in enumerate(eqns) if eqn.primitive.name == "scan" and i in latent]
    if len(scans) != 1:
        statement = body.statements[0].statement
        raise ProgramError(
            f"{purpose} needs a program with one jax.lax.scan that draws latent sites, and got one with {len(scans)}.",
            where=statement,
            fix="vipl.Importance(…) in place of vipl.SMC(…)" if not scans else "one scan whose step does all",
        )
    for located in body.statements:
        if is_param(located.statement) and len(located.path) > len(body.path) + 1 and not located.statement.hidden:
            raise ProgramError(
                f"{purpose}: param {located.statement.address!r} is inside of the scan.",
                where=located.statement,
                fix="create it before, and use its value inside",
            )
    return Segments(body, scans[0])


def _speaks(eqn) -> bool:
    if eqn.primitive is statement_p:
        return not is_param(eqn.params["statement"])
    return has_statements(eqn) and not all(map(is_param, statements_inside(eqn)))
