"""How particles are proposed and weighed: by the program's own sampler, or by a proposal program.

A particle has values for the *integrated* sites of a program, those that are not kept. Its weight is
`p(kept, integrated, evidence) / q(integrated)`.
"""

from __future__ import annotations

import dataclasses

from vipl._core.estimated_density import Body
from vipl.programs.particle import run_particle, split_total, values_of
from vipl.tracing.meaning import Meaning, total


@dataclasses.dataclass(frozen=True)
class Proposer:
    """Proposes particles of a program in a walk.

    Attributes:
        model: the program.
        proposal: a body that draws the integrated sites: a copy of the program, or another program.
        own: whether it is a copy, its kept sites observed.
        inputs: whether the values of the kept sites are the inputs of `proposal`.
        handler: the handler of the walk around.
        given: what is given to the model's statements.
    """

    model: Body
    proposal: Body
    own: bool
    inputs: bool
    handler: Meaning
    given: dict

    def draw(self, kept: dict, noise: dict) -> tuple:
        """Draw a particle: its values by name, log p/q, log q, and what the program returns.

        Args:
            kept: values of the kept sites, by name.
            noise: what is given to the proposal's statements.
        """
        inputs = list(kept.values()) if self.inputs else []
        results, outputs = run_particle(self.proposal, self.handler, {}, noise, inputs)
        values = values_of(self.proposal, outputs)
        if self.own:
            log_proposal, log_weight = split_total(self.proposal, outputs, values)
            return values, log_weight, log_proposal, results
        log_proposal = total(outputs)
        results, outputs = run_particle(self.model, self.handler, kept | values, self.given)
        return values, total(outputs) - log_proposal, log_proposal, results

    def weigh(self, kept: dict, values: dict) -> tuple:
        """Weigh given values: log p/q and log q."""
        _, outputs = run_particle(self.model, self.handler, kept | values, self.given)
        return self.weigh_run(outputs, kept, values)

    def weigh_run(self, outputs: dict, kept: dict, values: dict) -> tuple:
        """Weigh a run of the model, by what it put out."""
        log_proposal, log_weight = split_total(self.model, outputs, values)
        if self.own:
            return log_weight, log_proposal
        inputs = list(kept.values()) if self.inputs else []
        _, proposed = run_particle(self.proposal, self.handler, values, {}, inputs)
        return log_weight + log_proposal - total(proposed), total(proposed)
