"""`scored_trace`: the trace of given values, with the log density of every site.

>>> import vipl, vipl.distributions as dist
>>> from vipl.tracing.scored_trace import scored_trace
>>> @vipl.program
... def model():
...     x = vipl.sample("x", dist.Normal(0.0, 1.0))
...     vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)
>>> round(float(scored_trace(model(), {"x": 0.0}).sites["y"].log_prob), 4)
-1.0439
"""

from __future__ import annotations

from vipl._core.source import user_source
from vipl.lang.program import Program
from vipl.tracing.choices import check_choices
from vipl.tracing.log_density import Score
from vipl.tracing.record import run
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def scored_trace(program: Program, choices) -> Trace:
    """Return the trace of a program whose latent sites have given values.

    Args:
        program: a Program.
        choices: as in `vipl.log_density`.
    """
    surveyed = survey(program)
    values, inside = check_choices(surveyed, choices, user_source())
    handler = Score(surveyed, inside)
    handler.record = True
    located = [s for s in surveyed.staged.statements if s.statement.address in values]
    return run(surveyed, handler, {s.path: values[s.statement.address] for s in located})
