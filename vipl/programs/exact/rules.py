"""Marginals and posteriors of programs whose finite sites are summed out: densities are exact."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.errors import DensityError
from vipl.programs.exact.plan import Plan
from vipl.programs.exact.table import product
from vipl.programs.kept import fixed_values, observed_values
from vipl.programs.particle import EstimatedOutput, run_particle, shown, values_of
from vipl.tracing.meaning import total


@dataclasses.dataclass(eq=False)
class Exactly:
    """Base of the two rules.

    Attributes:
        names: of the sites of the surface.
        plan: how the other sites are summed out.
        returned: positions of the results that are returned.
    """

    names: tuple[str, ...]
    plan: Plan | None = None
    returned: list[int] = dataclasses.field(default_factory=list)

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body."""
        del index
        return around


class MarginalExactly(Exactly):
    """Sums finite sites out."""

    def run(self, bodies, handler, given, path):
        """Give meaning to the program: see the module."""
        (model,) = bodies
        fixed = fixed_values(model, handler, self.names, given)
        sites = tuple(located.path for name in self.names for located in model.sites[name])
        results, outputs = [], {}
        if fixed is None:
            results, outputs = run_particle(model, handler, {}, given)
            observed, values = observed_values(model, handler, self.names, given), values_of(model, outputs)
            kept = {name: observed[name] if name in observed else values[name] for name in self.names}
        else:
            kept = fixed
            if self.returned or handler.record:
                first = {v.name: v.value(0) for v in self.plan.variables}
                results, outputs = run_particle(model, handler, fixed | first, given)
        density = log_total(self.plan.run(model, handler, kept, given).tables)
        out = shown(model, outputs) if fixed is None or handler.record else {}
        return [results[i] for i in self.returned], {**out, path: EstimatedOutput(density, sites)}


class NormalizedExactly(Exactly):
    """Draws finite sites from their posterior: the last one summed out first, and each given those."""

    def run(self, bodies, handler, given, path):
        """Give meaning to the posterior: see the module."""
        model, *draws = bodies
        fixed = fixed_values(model, handler, self.names, given)
        sites = tuple(located.path for group in model.sites.values() for located in group)
        eliminated = self.plan.run(model, handler, {}, given)
        evidence = log_total(eliminated.tables)
        if fixed is None:
            for name in observed_values(model, handler, self.names, given):
                raise DensityError(
                    f"{name!r} is observed in a normalized program, which only draws all of its sites together.",
                    where=model.sites[name][0].statement,
                    fix=f"vipl.normalize(program | {{{name!r}: value}}, …): observe first, then normalise",
                )
            fixed = self._draw(draws, eliminated, handler, given)
        results, outputs = run_particle(model, handler, fixed, given)
        some = jnp.isfinite(evidence)  # where nothing is possible, nothing has a density to speak of
        density = jnp.where(some, total(outputs) - jnp.where(some, evidence, 0.0), 0.0)
        out = shown(model, outputs) if handler.record else {}
        return [results[i] for i in self.returned], {**out, path: EstimatedOutput(density, sites)}

    def _draw(self, draws, eliminated, handler, given):
        states: dict = {}
        for body, (i, table) in zip(draws, reversed(eliminated.steps), strict=True):
            logits = self.plan.conditional(i, table, states)
            logits = jnp.where(jnp.isfinite(jnp.max(logits, -1, keepdims=True)), logits, 0.0)
            (states[i],), _ = run_particle(body, handler, {}, given, [logits])
        return {v.name: v.values(states[i]) for i, v in enumerate(self.plan.variables)}


def log_total(tables):
    """Return the log of the product of tables that have no axes any more."""
    return product(tables).array
