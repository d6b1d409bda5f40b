"""`site_terms`: the log density of given values, site by site."""

from __future__ import annotations

from vipl._core.constructs import Conditional
from vipl._core.interpreter import interpret
from vipl._core.source import user_source
from vipl.tracing.choices import check_choices
from vipl.tracing.log_density import Score
from vipl.tracing.survey import survey


def site_terms(program, choices) -> dict:
    """Return `{address: (distribution, log_prob)}` of every site and factor; a factor's distribution is None.

    Args:
        program: a Program.
        choices: as in `log_density`.
    """
    surveyed = survey(program)
    values, inside = check_choices(surveyed, choices, user_source())
    handler = Score(surveyed, inside)
    handler.record = True
    located = [s for s in surveyed.staged.statements if s.statement.address in values]
    given = handler.given() | {s.path: values[s.statement.address] for s in located}
    _, outputs = interpret(surveyed.staged.jaxpr, surveyed.staged.consts, [], handler, given)
    addresses = {s.path: s.statement.address for s in surveyed.staged.statements}
    plain = {addresses[p]: o.output if isinstance(o, Conditional) else o for p, o in outputs.items()}
    return {
        address: (getattr(output, "distribution", None), output.log_prob)
        for address, output in plain.items()
        if hasattr(output, "log_prob")
    }
