"""How particles are proposed and weighed: by the program's own sampler, or by a proposal program.

A particle has values for the *integrated* sites of a program, those that are not kept. Its weight is
`p(kept, integrated, evidence) / q(integrated)`.
"""

from __future__ import annotations

import dataclasses

from vipl._core.estimated_density import Body
from vipl.programs.particle import params_in, run_particle, split_total, values_of
from vipl.tracing.meaning import Meaning, total


@dataclasses.dataclass(frozen=True)
class Proposer:
    """Proposes particles of a program in a walk.

    Attributes:
        proposal: a body that draws the integrated sites: a copy of the program, or a user's program.
        weighed: a copy of the program that scores what a user's program draws; None where `proposal` is a copy.
        inputs: whether the values of the kept sites are the inputs of a user's program; of a copy they always are.
        handler: the handler of the walk around.
    """

    proposal: Body
    weighed: Body | None
    inputs: bool
    handler: Meaning

    def noise(self, given: dict) -> dict:
        """Return what is given to the bodies, with an axis of particles in front."""
        bodies = [body for body in (self.proposal, self.weighed) if body is not None]
        return {p: g for p, g in given.items() if any(p[: len(body.path)] == body.path for body in bodies)}

    def draw(self, kept: dict, noise: dict) -> tuple:
        """Draw a particle: its values by name, log p/q, log q, what the program returns, and the proposal's params.

        Args:
            kept: values of the kept sites, by name.
            noise: what is given to it.
        """
        values, outputs, results = self._propose(kept, {}, noise)
        return values, *self._weigh(kept, values, outputs, noise, results), params_in(outputs)

    def weigh(self, kept: dict, values: dict, noise: dict) -> tuple:
        """Weigh given values: log p/q and log q."""
        _, outputs, results = self._propose(kept, values, noise)
        return self._weigh(kept, values, outputs, noise, results)[:2]

    def weigh_run(self, model: Body, outputs: dict, kept: dict, values: dict, noise: dict) -> tuple:
        """Return log p/q of values that a run of the program itself drew, by what it put out; and the params."""
        if self.weighed is None:
            return split_total(model, outputs, values)[1], {}
        proposed = self._propose(kept, values, noise)[1]
        return total(outputs) - total(proposed), params_in(proposed)

    def _propose(self, kept, values, noise):
        inputs = list(kept.values()) if self.inputs or self.weighed is None else []
        results, outputs = run_particle(self.proposal, self.handler, values, noise, inputs)
        return values_of(self.proposal, outputs), outputs, results

    def _weigh(self, kept, values, outputs, noise, results):
        if self.weighed is None:
            log_proposal, log_weight = split_total(self.proposal, outputs, values)
            return log_weight, log_proposal, results
        log_proposal = total(outputs)
        results, outputs = run_particle(self.weighed, self.handler, values, noise, list(kept.values()))
        return total(outputs) - log_proposal, log_proposal, results
