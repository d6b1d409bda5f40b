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
    """How the bodies run: the program, its proposal, and a copy that weighs what a user's proposal draws.

    Args:
        num_particles: m.
        inputs: whether the user's proposal depends on the values of the kept sites.
        keep: names of the kept sites.
        evidence: whether the program observes.
    """

    def __init__(self, num_particles: int, inputs: bool, keep: tuple[str, ...], evidence: bool):
        self.num_particles, self.inputs, self.keep, self.evidence = num_particles, inputs, keep, evidence
        self.returned: list[int] = []

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body: all but the first have an axis of particles."""
        return around if index == 0 else {**around, "axes": (*around.get("axes", ()), self.num_particles)}

    def run(self, bodies, handler, given, path):
        """Give meaning to the program: see the module."""
        model, proposal, *weighed = bodies
        fixed = fixed_values(model, handler, self.keep, given)
        proposer = Proposer(proposal, weighed[0] if weighed else None, self.inputs, handler)
        noise = proposer.noise(given)
        sites = tuple(located.path for name in self.keep for located in model.sites[name])
        if fixed is None:
            results, outputs = run_particle(model, handler, {}, given)
            observed = observed_values(model, handler, self.keep, given)
            values = values_of(model, outputs)
            kept = {name: observed[name] if name in observed else values[name] for name in self.keep}
            integrated = {name: value for name, value in values.items() if name not in kept}
            first, rest = jax.tree.map(lambda leaf: leaf[0], noise), jax.tree.map(lambda leaf: leaf[1:], noise)
            log_weight, params = proposer.weigh_run(model, outputs, kept, integrated, first)
            log_weights, params = log_weight[None], jax.tree.map(lambda leaf: leaf[None], params)
            if self.num_particles > 1:
                others = self._draw(proposer, kept, rest, self.num_particles - 1)[1]
                log_weights = jnp.concatenate([log_weights, others])
            unknown = blind(model) if self.evidence or observed else None
            density = EstimatedOutput(log_mean_exp(log_weights), sites, unknown)
            return [results[i] for i in self.returned], {**shown(model, outputs), **params, path: density}
        values, log_weights, _, results, _ = self._draw(proposer, fixed, noise, self.num_particles)
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
