"""The scores that an objective is multiplied by, where choices are by `ScoreFunction`."""

from __future__ import annotations

from jax import lax

from vipl._core.interpreter import interpret
from vipl.estimators import Auto, ScoreFunction
from vipl.lang.program import Program
from vipl.tracing.log_density import Score
from vipl.tracing.meaning import FactorOutput, score, total
from vipl.tracing.relaxed import with_relaxed
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def log_density_of_scored(guide: Program, trace: Trace):
    """Return the sum of log q over the sites by `ScoreFunction` without a baseline, each at its stopped value.

    A site counts if it asks for that, or for nothing and has no differentiable sampler. Any choice of sites has scores
    of mean zero.

    Its derivative is the sum of their scores. What a site's parameters depend on is not stopped. Subsampled plates do
    not scale it: a site of a minibatch is drawn once.

    Args:
        guide: a Program.
        trace: a draw from it.
    """
    surveyed = with_relaxed(survey(guide), trace)
    values = trace.choices | trace.indices
    groups = (*surveyed.latents.values(), *surveyed.indices.values())
    given = {s.path: values[s.statement.address] for group in groups for s in group if s.statement.address in values}
    handler = _Scores(surveyed, frozenset())
    staged = surveyed.staged
    _, outputs = interpret(staged.jaxpr, staged.consts, [], handler, handler.given() | given)
    return total(outputs)


class _Scores(Score):
    """Latent sites have the values they are given; log densities of those that need a score come out."""

    def sample(self, path, statement, operands, given):
        """Score a latent site, if it needs that."""
        if not _needs_score(statement):
            return given, None
        return given, FactorOutput(score(statement, operands, lax.stop_gradient(given), guard=False))

    def factor(self, path, statement, operands, given):
        """Leave out what is not drawn."""
        value, _ = super().factor(path, statement, operands, given)
        return value, None


def _needs_score(statement) -> bool:
    estimator = statement.estimator
    if isinstance(estimator, ScoreFunction):
        return estimator.baseline is None or estimator.leaves_one_out
    return (estimator is None or isinstance(estimator, Auto)) and not statement.reparameterised
