"""The posterior of a program as a program, by sampling importance resampling.

    simulate:     x₁ … x_N ~ q;  w_i = p(x_i, y)/q(x_i);  j ~ w;  x = x_j;  ŵ = p(x, y)/mean_i w_i
    log_density:  x₁ = x;  x₂ … x_N ~ q;                                    the same ŵ

Where all weights are zero, one of the particles is taken as it comes, of density q.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl.programs.importance.proposer import Proposer
from vipl.programs.kept import fixed_values, refuse_observed
from vipl.programs.particle import EstimatedOutput, log_mean_exp, over_particles, run_particle, shown


class NormalizedByImportance:
    """How the bodies run: the program, its proposal, the draw of the index, and a copy that weighs a user's proposal.

    Args:
        num_particles: N.
        names: of the latent sites.
    """

    def __init__(self, num_particles: int, names: tuple[str, ...]):
        self.num_particles, self.names = num_particles, names
        self.returned: list[int] = []

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body: proposal and copy have an axis of particles."""
        return {**around, "axes": (*around.get("axes", ()), self.num_particles)} if index in (1, 3) else around

    def run(self, bodies, handler, given, path):
        """Give meaning to the posterior: see the module."""
        model, proposal, index, *weighed = bodies
        fixed = fixed_values(model, handler, self.names, given)
        proposer = Proposer(proposal, weighed[0] if weighed else None, False, handler)
        noise = proposer.noise(given)
        sites = tuple(located.path for group in model.sites.values() for located in group)
        if fixed is None:
            refuse_observed(model, handler, self.names, given)
            *draws, _, params = self._draw(proposer, noise, self.num_particles)
            log_mean = log_mean_exp(draws[1])
            logits = jnp.where(jnp.isfinite(log_mean), draws[1], 0.0)
            (chosen,), _ = run_particle(index, handler, {}, given, [logits])
            values, log_weight, log_proposal = jax.tree.map(lambda leaf: leaf[chosen], draws)
        else:
            values, params = fixed, {}
            first, rest = jax.tree.map(lambda leaf: leaf[0], noise), jax.tree.map(lambda leaf: leaf[1:], noise)
            log_weight, log_proposal = proposer.weigh({}, values, first)
            log_weights = log_weight[None]
            if self.num_particles > 1:
                log_weights = jnp.concatenate([log_weights, self._draw(proposer, rest, self.num_particles - 1)[1]])
            log_mean = log_mean_exp(log_weights)
        out = {path: EstimatedOutput(_density(log_weight, log_proposal, log_mean), sites)} | params
        results: list = []
        if self.returned or handler.record:
            results, outputs = run_particle(model, handler, values, given)
            out |= shown(model, outputs) if handler.record else {}
        return [results[i] for i in self.returned], out

    def _draw(self, proposer, noise, count):
        return over_particles(proposer.handler, count, lambda noise: proposer.draw({}, noise), noise)


def _density(log_weight, log_proposal, log_mean):
    """Return log p(x, y) − log mean w; that of the proposal where all weights are zero."""
    some = jnp.isfinite(log_mean)
    ratio = jnp.where(some, log_weight - jnp.where(some, log_mean, 0.0), 0.0)
    return jnp.where(jnp.isfinite(log_proposal), log_proposal + ratio, -jnp.inf)
