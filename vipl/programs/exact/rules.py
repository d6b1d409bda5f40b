"""Marginals and posteriors of programs whose finite sites are summed out: densities are exact."""

from __future__ import annotations

import dataclasses
import functools

from vipl._core.estimated_density import Body
from vipl.programs.exact.stages.backward import backward
from vipl.programs.exact.stages.forward import forward
from vipl.programs.exact.stages.plan import Plan
from vipl.programs.exact.stages.planning import plan_of
from vipl.programs.exact.tables.variables import Variable
from vipl.programs.kept import fixed_values, observed_values, refuse_observed
from vipl.programs.particle import EstimatedOutput, posterior_density, run_particle, shown, values_of
from vipl.tracing.meaning import total


@dataclasses.dataclass(eq=False)
class Exactly:
    """Base of the two rules.

    Attributes:
        names: of the sites of the surface.
        variables: the sites that are summed out.
        most_states: how many states a table may have.
        returned: positions of the results that are returned.
        axes: of each draw, the axes that it has in front.
    """

    purpose = ""

    names: tuple[str, ...]
    variables: list[Variable]
    most_states: int
    returned: list[int] = dataclasses.field(default_factory=list)
    axes: list[tuple[int, ...]] = dataclasses.field(default_factory=list)

    def surroundings(self, index, around):
        """Return what surrounds the statements of a body: draws of the steps of a scan have these in front."""
        more = self.axes[index - 1] if index else ()
        return {**around, "axes": (*around.get("axes", ()), *more)}

    @functools.cached_property
    def _plans(self) -> dict:
        return {}

    def plan(self, body: Body) -> Plan:
        """Return how the sites are summed out; found once for each way in which the program is staged."""
        key = id(body.jaxpr)
        if key not in self._plans:
            alone = Body(body.jaxpr, (), (), body.of)
            self._plans[key] = body.jaxpr, plan_of(alone, self.variables, self.most_states, self.purpose)
        return self._plans[key][1]


class MarginalExactly(Exactly):
    """Sums finite sites out."""

    purpose = "vipl.marginal"

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
                first = {v.name: v.value(0) for v in self.variables}
                results, outputs = run_particle(model, handler, fixed | first, given)
        density = forward(self.plan(model), model, handler, kept, given, record=False).log_evidence
        out = shown(model, outputs) if fixed is None or handler.record else {}
        return [results[i] for i in self.returned], {**out, path: EstimatedOutput(density, sites)}


class NormalizedExactly(Exactly):
    """Draws finite sites from their posterior: the last one summed out first, and each given those."""

    purpose = "vipl.normalize"

    def run(self, bodies, handler, given, path):
        """Give meaning to the posterior: see the module."""
        model, *draws = bodies
        fixed = fixed_values(model, handler, self.names, given)
        sites = tuple(located.path for group in model.sites.values() for located in group)
        plan = self.plan(model)
        done = forward(plan, model, handler, {}, given, record=fixed is None)
        if fixed is None:
            refuse_observed(model, handler, self.names, given)
            reverse = plan.step is not None and model.jaxpr.jaxpr.eqns[plan.position].params["reverse"]
            fixed = backward(plan, done.steps, [_draw(body, handler, given) for body in draws], reverse)
        results, outputs = run_particle(model, handler, fixed, given)
        density = posterior_density(total(outputs), done.log_evidence)
        out = shown(model, outputs) if handler.record else {}
        return [results[i] for i in self.returned], {**out, path: EstimatedOutput(density, sites)}


def _draw(body, handler, given):
    """Return what draws the states of a variable from their logits, once it has noise; and the noise."""

    def with_noise(noise):
        return lambda logits: run_particle(body, handler, {}, noise, [logits])[0][0]

    return with_noise, {path: noise for path, noise in given.items() if path[: len(body.path)] == body.path}
