"""`log_density`: how likely a program makes given values."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import jax

from vipl._core.compat import varying_in
from vipl._core.errors import RandomnessError, VIPLWarning
from vipl._core.interpreter import interpret
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl._core.statement import bind_again
from vipl.lang.program import Program
from vipl.tracing.choices import check_choices
from vipl.tracing.meaning import Meaning, score, total
from vipl.tracing.noise import draw_noise
from vipl.tracing.relaxed import with_relaxed
from vipl.tracing.simulate import check_program, choose_site, draw_site
from vipl.tracing.survey import refuse_loops, survey
from vipl.tracing.trace import Trace


def log_density(program: Program, choices, key=None) -> jax.Array:
    """Return the joint log density of `choices` and the observed sites.

    Args:
        program: a Program.
        choices: `{address: value}` for every latent site, or a Trace, whose `choices` count. Indices of a
            subsampled plate may be given at the plate's name.
        key: a key, for a program whose density is an estimate (`vipl.marginal`, `vipl.normalize`); absent inside
            `vipl.expectation`, which has the randomness.

    Returns:
        A scalar, in nats; −inf, with gradient zero, where a value lies outside of its support. Of a program whose
        density is an estimate, log ŵ with E[ŵ] the density.

    Raises:
        AddressError: an address is missing, or the program does not have it, or observes it.
        ShapeError: a value does not have the shape of its site.
        SupportError: the trace comes from a site whose support reaches beyond the program's.
        DensityError: a site is inside a `while_loop`.
        RandomnessError: the density is an estimate, and there is no randomness; or a key where none belongs.

    Warns:
        VIPLWarning: the density is an estimate, and the trace is the program's own: `trace.log_density` is its density
            as a guide's, which a new estimate is not.

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
    if isinstance(choices, Trace) and surveyed.estimating and choices.is_of(program):
        _warn_of_second_estimate(program)
    values, inside = check_choices(surveyed, choices, user_source())
    handler = Score(surveyed, inside)
    staged = surveyed.staged
    located = [s for group in (surveyed.latents, surveyed.indices) for many in group.values() for s in many]
    given = {s.path: values[s.statement.address] for s in located if s.statement.address in values}
    if key is not None:
        if handler.in_expectation or not surveyed.estimating:
            raise RandomnessError(
                f"log_density of {program.name} takes no key: "
                + ("the expectation has the randomness." if handler.in_expectation else "its density is exact."),
                where=user_source(),
                fix="vipl.log_density(program, choices)",
            )
        given |= draw_noise(as_key(key, "log_density"), surveyed.estimating)
    _, outputs = interpret(staged.jaxpr, staged.consts, [], handler, handler.given() | given)
    return total(outputs)


def _warn_of_second_estimate(program: Program) -> None:
    source = user_source()
    warnings.warn(
        f"log_density of {program.name} at its own draw, at {source}: its density is an estimate, and a new one is too "
        "low on average where the draw came from, so a bound or weight that subtracts it is too high. "
        "trace.log_density belongs to the draw",
        VIPLWarning,
        stacklevel=3,
    )


class Score(Meaning):
    """Latent sites have the values they are given; only log_probs come out.

    `inside` holds the addresses whose values are known to lie in the support.
    """

    fixed = True

    def __init__(self, surveyed, inside):
        super().__init__(surveyed, record=False)
        self.inside = inside
        self.rebinds = self.in_expectation and bool(surveyed.indices or surveyed.estimating)

    def latent(self, path, statement, leaves, given):
        """Score the given value."""
        density = score(statement, leaves, given, guard=statement.address not in self.inside)
        return given, self.marked(statement, leaves, given, density)

    def auxiliary(self, path, statement, leaves, given):
        """Draw from the noise there is; inside an expectation, choose."""
        if given is not None:
            return draw_site(statement, leaves, given)
        if self.in_expectation:
            return choose_site(self, statement, leaves)
        raise RandomnessError(
            f"the density of {self.surveyed.program.name} is an estimate that draws {statement.address!r}, and there "
            "is no randomness here.",
            where=statement,
            fix="inside vipl.expectation it is drawn; otherwise vipl.log_density(program, choices, key)",
        )

    def indices(self, path, statement, given):
        """Use the given indices; draw them inside an expectation."""
        if given is not None:
            return given
        if self.in_expectation:
            return bind_again([], statement)
        return super().indices(path, statement, given)
