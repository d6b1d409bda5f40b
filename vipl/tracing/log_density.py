"""`log_density`: how likely a program makes given values."""

from __future__ import annotations

from collections.abc import Mapping

import jax

from vipl._core.compat import varying_in
from vipl._core.interpreter import interpret
from vipl._core.source import user_source
from vipl._core.statement import bind_again
from vipl.lang.program import Program
from vipl.tracing.choices import check_choices
from vipl.tracing.meaning import Meaning, score, total
from vipl.tracing.relaxed import with_relaxed
from vipl.tracing.simulate import check_program
from vipl.tracing.survey import refuse_loops, survey
from vipl.tracing.trace import Trace


def log_density(program: Program, choices) -> jax.Array:
    """Return the joint log density of `choices` and the observed sites.

    Args:
        program: a Program.
        choices: `{address: value}` for every latent site, or a Trace, whose `choices` count. Indices of a
            subsampled plate may be given at the plate's name.

    Returns:
        A scalar, in nats; −inf, with gradient zero, where a value lies outside of its support.

    Raises:
        AddressError: an address is missing, or the program does not have it, or observes it.
        ShapeError: a value does not have the shape of its site.
        SupportError: the trace comes from a site whose support reaches beyond the program's.
        DensityError: a site is inside a `while_loop`.

    Example:
        >>> import vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
        ...     vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)
        >>> round(float(vipl.log_density(model(), {"x": 0.0})), 4)
        -1.9629
    """
    check_program(program, "log_density")
    surveyed = survey(program, varying_in(dict(choices)) if isinstance(choices, Mapping) else ())
    surveyed = with_relaxed(surveyed, choices)
    refuse_loops(surveyed, "the log density")
    trace = choices if isinstance(choices, Trace) else None
    values, inside = check_choices(surveyed, choices, user_source())
    handler = Score(surveyed, inside)
    staged = surveyed.staged
    located = [s for group in (surveyed.latents, surveyed.indices) for many in group.values() for s in many]
    given = {s.path: values[s.statement.address] for s in located if s.statement.address in values}
    del trace
    _, outputs = interpret(staged.jaxpr, staged.consts, [], handler, handler.given() | given)
    return total(outputs)


class Score(Meaning):
    """Latent sites have the values they are given; only log_probs come out.

    `inside` holds the addresses whose values are known to lie in the support.
    """

    def __init__(self, surveyed, inside):
        super().__init__(surveyed, record=False)
        self.inside = inside
        self.rebinds = self.in_expectation and bool(surveyed.indices)

    def latent(self, path, statement, leaves, given):
        """Score the given value."""
        density = score(statement, leaves, given, guard=statement.address not in self.inside)
        return given, self.marked(statement, leaves, given, density)

    def indices(self, path, statement, given):
        """Use the given indices; draw them inside an expectation."""
        if given is not None:
            return given
        if self.in_expectation:
            return bind_again([], statement)
        return super().indices(path, statement, given)
