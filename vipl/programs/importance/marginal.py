"""The density of some sites of a program, the others integrated out by importance sampling.

simulate:     (k, a₁) ~ p;  a₂ … a_m ~ q(·|k);   ŵ = mean_i p(k, a_i)/q(a_i|k)      E[1/ŵ | k] = 1/p(k)
log_density:  a₁ … a_m ~ q(·|k);                 the same ŵ                         E[ŵ] = p(k)
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl.programs.importance.proposer import Proposer
from vipl.programs.kept import fixed_values, observed_values
from vipl.programs.particle import EstimatedOutput, log_mean_exp, over_particles, run_particle, shown, values_of


class MarginalByImportance:
    """How the bodies run: the program, and its proposal.

    Args:
        num_particles: m.
        own: whether the proposal is a copy of the program.
        inputs: whether the proposal depends on the values of the kept sites.
        keep: names of the kept sites.
        evidence: whether the program observes.
    """

    def __init__(self, num_particles: int, own: bool, inputs: bool, keep: tuple[str, ...], evidence: bool):
        self.num_particles, self.own, self.inputs, self.keep, self.evidence = num_particles, own, inputs, keep, evidence
        self.returned: list[int] = []

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body: the proposal has an axis of particles."""
        return around if index == 0 else {**around, "axes": (*around.get("axes", ()), self.num_particles)}

    def run(self, bodies, handler, given, path):
        """Give meaning to the program: see the module."""
        model, proposal = bodies
        fixed = fixed_values(model, handler, self.keep, given)
        proposer = Proposer(model, proposal, self.own, self.inputs, handler, given)
        noise = {p: g for p, g in given.items() if p[: len(proposal.path)] == proposal.path}
        sites = tuple(located.path for name in self.keep for located in model.sites[name])
        if fixed is None:
            results, outputs = run_particle(model, handler, {}, given)
            observed = observed_values(model, handler, self.keep, given)
            values = values_of(model, outputs)
            kept = {name: observed[name] if name in observed else values[name] for name in self.keep}
            log_weight, _ = proposer.weigh_run(outputs, kept, {a: v for a, v in values.items() if a not in kept})
            log_weights = jnp.reshape(log_weight, (1,))
            if self.num_particles > 1:
                rest = jax.tree.map(lambda leaf: leaf[1:], noise)
                others = self._draw(proposer, kept, rest, self.num_particles - 1)[1]
                log_weights = jnp.concatenate([log_weights, others])
            unknown = blind(model) if self.evidence or observed else None
            density = EstimatedOutput(log_mean_exp(log_weights), sites, unknown)
            return [results[i] for i in self.returned], {**shown(model, outputs), path: density}
        values, log_weights, _, results = self._draw(proposer, fixed, noise, self.num_particles)
        out = {path: EstimatedOutput(log_mean_exp(log_weights), sites)}
        if handler.record:
            first = jax.tree.map(lambda leaf: leaf[0], values)
            out |= shown(model, run_particle(model, handler, fixed | first, given)[1])
        return [results[i][0] for i in self.returned], out

    def _draw(self, proposer, kept, noise, count):
        return over_particles(proposer.handler, count, lambda noise: proposer.draw(kept, noise), noise)


def blind(model) -> tuple:
    """Return why a draw of a marginal that observes has no density."""
    return (
        str(model.statements[0].statement),
        "the sites that a marginal integrates out were drawn without regard to what is observed",
        "vipl.log_density(marginal, choices, key); or vipl.normalize(program, …), which draws with regard to it",
    )
