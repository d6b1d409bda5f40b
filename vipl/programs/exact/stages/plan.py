"""The stages of a program whose finite sites are summed out.

A program is one stage, unless a scan makes a chain of its sites, by what it carries from step to step. Then it is what
is before the scan, the first steps, until what is carried depends on the variables of a fixed number of steps, one
stage for all further steps, and what is after the scan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from vipl._core.estimated_density import Body
from vipl.programs.exact.stages.stage import OUTSIDE, Stage
from vipl.programs.exact.tables.variables import Variable


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
        """What a draw from the posterior draws, in order: a name, the variable, and whether further steps have it."""
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
