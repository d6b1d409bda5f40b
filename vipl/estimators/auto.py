"""`Auto`: the choice of an estimator for those who do not want to choose."""

from __future__ import annotations

from vipl.estimators.base import Estimator
from vipl.estimators.finite.enumerate import Enumerate
from vipl.estimators.pathwise.reparam import Reparam
from vipl.estimators.score.score_function import LEAVE_ONE_OUT, ScoreFunction


class Auto(Estimator):
    """Pick an estimator for each site: `Reparam`, else `Enumerate`, else `ScoreFunction`.

    `Reparam` where the distribution has a differentiable sampler and the objective is continuous in the value as far
    as can be seen; `Enumerate` where the support has at most
    `max_size` points and the objective treats the elements of the site separately; `ScoreFunction` elsewhere, with
    the other samples for a baseline where `num_samples` is more than 1.

    Args:
        max_size: largest support that is enumerated.

    Example:
        >>> from vipl import estimators
        >>> estimators.Auto()
        Auto(max_size=64)
    """

    def __init__(self, max_size: int = 64):
        self.max_size = max_size

    def candidates(self, statement) -> list[Estimator]:
        """Return the estimators to try for a site, best first."""
        candidates = [Reparam(), Enumerate(self.max_size), ScoreFunction(LEAVE_ONE_OUT)]
        if statement.support_size is None or statement.support_size > self.max_size:
            candidates.pop(1)
        return [c for c in candidates if c.refusal(statement) is None] or candidates[-1:]
