"""Marginals and posteriors by sequential Monte Carlo: what the filter is run for.

normalize, simulate:     run the filter; draw a particle j at its end; x = its path;   ŵ = p(x, y)/Ẑ
normalize, log_density:  run the conditional filter that retains x;                    the same ŵ
marginal, simulate:      (k, x) ~ p; run the conditional filter that retains x;        ŵ = Ẑ
marginal, log_density:   run the filter;                                               ŵ = Ẑ
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.errors import ProgramError
from vipl.programs.importance.marginal import blind
from vipl.programs.kept import fixed_values, observed_values, refuse_observed
from vipl.programs.particle import EstimatedOutput, posterior_density, run_particle, shown, values_of
from vipl.programs.segments import segments
from vipl.programs.smc.filter import Filter
from vipl.programs.smc.machine import Machine
from vipl.tracing.meaning import total

# The bodies: the program, its copy that observes what is kept, the filter's own draws, the proposal if there is one.
PROGRAM, COPY, RESAMPLING, CONDITIONAL, SLOT, INDEX, PROPOSAL = range(7)


@dataclasses.dataclass(eq=False)
class BySMC:
    """Base of the two rules.

    Attributes:
        num_particles: N.
        length: of the scan.
        threshold: of the effective sample size, as a share of N, or None.
        names: of the sites of the surface.
        inputs: whether the proposal's inputs are the values of the kept sites.
        evidence: whether the program observes.
        returned: positions of the results that are returned.
    """

    num_particles: int
    length: int
    threshold: float | None
    names: tuple[str, ...]
    inputs: bool
    evidence: bool
    returned: list[int] = dataclasses.field(default_factory=list)

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body: particles, or steps."""
        more = {COPY: (self.num_particles,), PROPOSAL: (self.num_particles,)}
        more |= {RESAMPLING: (self.length,), CONDITIONAL: (self.length,)}
        return {**around, "axes": (*around.get("axes", ()), *more.get(index, ()))}

    def filter(self, bodies, handler, given, kept) -> Filter:
        """Return the filter, with the values of the kept sites."""
        inputs = list(kept.values())
        machines = [Machine(segments(bodies[COPY], "vipl.SMC"), inputs, handler, self.num_particles)]
        if len(bodies) > PROPOSAL:
            parts = segments(bodies[PROPOSAL], "the proposal of vipl.SMC")
            _check_same_scan(parts, machines[0].parts)
            machines.insert(0, Machine(parts, inputs if self.inputs else [], handler, self.num_particles))
        draws = (bodies[RESAMPLING], bodies[CONDITIONAL])
        return Filter(tuple(machines), handler, self.num_particles, *draws, self.threshold, given)

    def slot(self, bodies, handler, given):
        """Draw where a retained path starts."""
        (slot,), _ = run_particle(bodies[SLOT], handler, {}, given)
        return slot


class MarginalBySMC(BySMC):
    """Integrates a state-space program's other sites out."""

    def run(self, bodies, handler, given, path):
        """Give meaning to the program: see the module."""
        model = bodies[PROGRAM]
        fixed = fixed_values(model, handler, self.names, given)
        sites = tuple(located.path for name in self.names for located in model.sites[name])
        if fixed is not None:
            result = self.filter(bodies, handler, given, fixed).run()
            results, out = [], {path: EstimatedOutput(result.log_evidence, sites)}
            if self.returned or handler.record:
                results, outputs = run_particle(model, handler, fixed | result.path(0), given)
                out |= shown(model, outputs) if handler.record else {}
            return [results[i] for i in self.returned], out
        results, outputs = run_particle(model, handler, {}, given)
        observed = observed_values(model, handler, self.names, given)
        values = values_of(model, outputs)
        kept = {name: observed[name] if name in observed else values[name] for name in self.names}
        retained = {name: value for name, value in values.items() if name not in kept}
        slot = self.slot(bodies, handler, given)
        filter_ = self.filter(bodies, handler, given, kept)
        evidence = filter_.run(retained, slot).log_evidence
        density = EstimatedOutput(evidence, sites, blind(model) if self.evidence or observed else None)
        return [results[i] for i in self.returned], {**shown(model, outputs), **filter_.params, path: density}


class NormalizedBySMC(BySMC):
    """Draws paths of a state-space program from its posterior."""

    def run(self, bodies, handler, given, path):
        """Give meaning to the posterior: see the module."""
        model = bodies[PROGRAM]
        fixed = fixed_values(model, handler, self.names, given)
        sites = tuple(located.path for group in model.sites.values() for located in group)
        filter_ = self.filter(bodies, handler, given, {})
        if fixed is None:
            refuse_observed(model, handler, self.names, given)
            result = filter_.run()
            logits = jnp.where(jnp.isfinite(jnp.max(result.log_weights)), result.log_weights, 0.0)
            (chosen,), _ = run_particle(bodies[INDEX], handler, {}, given, [logits])
            values = result.path(chosen)
        else:
            values, result = fixed, filter_.run(fixed, self.slot(bodies, handler, given))
        results, outputs = run_particle(model, handler, values, given)
        density = posterior_density(total(outputs), result.log_evidence)
        out = {**shown(model, outputs), **filter_.params} if handler.record else {}
        return [results[i] for i in self.returned], {**out, path: EstimatedOutput(density, sites)}


def _check_same_scan(parts, model) -> None:
    ours, theirs = (p.scan.params for p in (parts, model))
    if (ours["length"], ours["reverse"]) != (theirs["length"], theirs["reverse"]):
        raise ProgramError(
            f"the proposal of vipl.SMC scans over {ours['length']} steps and the program over {theirs['length']}"
            + (", in opposite directions." if ours["reverse"] != theirs["reverse"] else "."),
            where=parts.body.statements[0].statement,
            fix="a proposal with the program's scan: at each step it draws the sites that the program draws there",
        )
