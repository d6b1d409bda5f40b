"""The parts of a program that become stages: the whole, or what is before its scan, a step, and what is after it.

A part is `function(body, walker, inputs, values, given)`: it runs with the values of its own finite sites by name, and
of all other sites by path, and returns results and the terms of the log density.
"""

from __future__ import annotations

import dataclasses

from vipl._core.compat import open_jaxpr
from vipl._core.interpreter import interpret
from vipl.programs.exact.tables.terms import terms_of
from vipl.programs.exact.tables.variables import Variable
from vipl.programs.segments import Segments


@dataclasses.dataclass(frozen=True)
class Part:
    """Base of the parts.

    Attributes:
        variables: its finite sites.
        position: of the scan among the equations of the program.
    """

    variables: tuple[Variable, ...]
    position: int = -1

    def __call__(self, body, walker, inputs, values, given):
        """Run it."""
        at = {s.path: value for name, value in values.items() for s in body.sites[name]}
        results, outputs = self.walk(body, walker, inputs, given | at)
        return results, terms_of(body, outputs, self.variables)

    def walk(self, body, walker, inputs, given):
        """Interpret its equations."""
        raise NotImplementedError


class Whole(Part):
    """All of the program; it has no results."""

    def walk(self, body, walker, inputs, given):
        """Interpret its equations."""
        return [], interpret(body.jaxpr.jaxpr, [], inputs, walker, given, body.path)[1]


class Before(Part):
    """What is before the scan."""

    def walk(self, body, walker, inputs, given):
        """Interpret its equations."""
        return Segments(body, self.position).before.run(inputs, walker, given)


class Step(Part):
    """A step of the scan."""

    def walk(self, body, walker, inputs, given):
        """Interpret its equations."""
        segments = Segments(body, self.position)
        jaxpr, consts = open_jaxpr(segments.scan.params["jaxpr"])
        return interpret(jaxpr, consts, inputs, walker, given, segments.scan_path)


class After(Part):
    """What is after the scan; it has no results."""

    def walk(self, body, walker, inputs, given):
        """Interpret its equations."""
        return [], Segments(body, self.position).after.run(inputs, walker, given)[1]
