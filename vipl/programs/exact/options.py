"""`Exact`: inference by summing out finite sites."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from vipl._core import ambient
from vipl._core.errors import DensityError, ParameterError
from vipl._core.source import user_source
from vipl.lang.site import SampleStatement
from vipl.programs.auxiliary import auxiliary
from vipl.programs.exact.rules import MarginalExactly, NormalizedExactly
from vipl.programs.exact.tables.variables import Variable, variable
from vipl.programs.staged import Relabel, as_body, bind_program, evidence, free_name, latent_sites, stage_inside


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Exact:
    """Inference without error, by summing out sites of finite support.

    The sum is taken site by site and element by element: where every term of the log density looks at one element of
    a site at a time, as in a mixture in a plate, each element is summed out by itself. Where terms look at several
    elements together, it is over all their combinations. The density needs no key. In `vipl.normalize` the sites are
    drawn one after the other from their posterior, at the addresses `"index/…"`.

    Args:
        most_states: how many states a table may have, elements of plates aside.

    Raises:
        ParameterError: `most_states` is no positive int.
        DensityError: in `vipl.marginal` and `vipl.normalize`, where a site is not finite, or a table too large.

    Example:
        >>> import jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def mixture(y):
        ...     with vipl.plate("datum", len(y)):
        ...         z = vipl.sample("z", dist.Bernoulli(0.3))
        ...         vipl.sample("y", dist.Normal(jnp.array([-1.0, 2.0])[z], 1.0), obs=y)
        >>> log_evidence = vipl.log_density(vipl.marginal(mixture(jnp.array([0.5, 1.5])), [], vipl.Exact()), {})
        >>> round(float(log_evidence), 4)
        -4.1819

    Source: Obermeyer et al. 2019, arXiv 1902.03210, algorithm 1.
    """

    most_states: int = dataclasses.field(default=100_000, metadata={"static": True})

    def __post_init__(self):
        number = self.most_states
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ParameterError(
                f"Exact allows at least one state, and got most_states={number!r}.",
                where=user_source(),
                fix="vipl.Exact()",
            )

    def integrate(self, program, keep):
        """Run the marginal of a program in the program that is being staged; returns what the program returns."""
        staged, here = stage_inside(program, "vipl.marginal"), ambient.current().scope
        kept = {here + name for name in keep}

        def integrated(statement):
            return isinstance(statement, SampleStatement) and not statement.observed and statement.address not in kept

        rule = MarginalExactly(keep, _variables(staged, set(keep), "vipl.marginal"), self.most_states)
        model = as_body(staged, Relabel(rule, here, integrated, here, estimates=False))
        rule.plan(dataclasses.replace(model, of=rule))
        return bind_program(rule, staged, [model])

    def posterior(self, program):
        """Run the posterior of a program in the program that is being staged; returns what the program returns."""
        staged, here = stage_inside(program, "vipl.normalize"), ambient.current().scope
        variables = _variables(staged, set(), "vipl.normalize")
        rule = NormalizedExactly(tuple(v.name for v in variables), variables, self.most_states)
        speaks = {located.statement.address for located in evidence(staged)}
        model = as_body(staged, Relabel(rule, here, lambda statement: statement.address in speaks, here))
        plan, scope, draws = rule.plan(dataclasses.replace(model, of=rule)), free_name(staged, here, "index"), []
        for name, drawn, in_step in plan.draws:
            shape = (*(drawn.shape[axis] for axis in drawn.tied), drawn.states)
            logits = jax.ShapeDtypeStruct(shape, jnp.result_type(float))
            rule.axes.append((plan.further_steps(model),) if in_step else ())
            draws.append(auxiliary(rule, scope + name, lambda w: dist.Categorical(logits=w), [logits], estimates=False))
        return bind_program(rule, staged, [model, *draws])


def _variables(staged, kept, purpose) -> list[Variable]:
    here, groups = ambient.current().scope, {}
    for located in staged.statements:
        if located.statement.hidden:
            raise DensityError(
                f"{purpose} by vipl.Exact: {located.statement.address!r} serves a program whose density is itself a "
                "sum or an estimate.",
                where=located.statement,
                fix="vipl.Importance(…); or sum out the sites of both programs at once",
            )
    for located in latent_sites(staged):
        name = located.statement.address.removeprefix(here)
        if name not in kept:
            groups.setdefault(name, []).append(located)
    return [variable(name, group, staged, purpose) for name, group in groups.items()]
