"""`Auto`: the choice of an estimator for those who do not want to choose."""

from __future__ import annotations

from vipl.estimators.base import Estimator
from vipl.estimators.finite.enumerate import Enumerate
from vipl.estimators.mixture.by_component import ByComponent
from vipl.estimators.pathwise.implicit import Implicit
from vipl.estimators.pathwise.reparam import Reparam
from vipl.estimators.score.score_function import LEAVE_ONE_OUT, ScoreFunction


class Auto(Estimator):
    """Pick an estimator for each site: `Reparam`, else `Enumerate`, else `ScoreFunction`; for mixtures `ByComponent`.

    `Reparam` where the distribution has a differentiable sampler and the objective is continuous in the value as far
    as can be seen; for a mixture of such `ByComponent`, or `Implicit` where the objective mixes the elements of the
    site; `Enumerate` where the support has at most `max_size` points and the objective treats the elements separately;
    `ScoreFunction` elsewhere, with the other samples for a baseline where `num_samples` is more than 1.

    Args:
        max_size: largest support, or number of components, that is enumerated.

    Example:
        >>> from vipl import estimators
        >>> estimators.Auto()
        Auto(max_size=64)
    """

    def __init__(self, max_size: int = 64):
        self.max_size = max_size

    def candidates(self, statement) -> list[Estimator]:
        """Return the estimators to try for a site, best first."""
        candidates = [
            Reparam(),
            ByComponent(max_size=self.max_size),
            Implicit(),
            ByComponent("score"),
            ScoreFunction(LEAVE_ONE_OUT),
        ]
        if statement.support_size is not None and statement.support_size <= self.max_size:
            candidates.insert(1, Enumerate(self.max_size))
        return [c for c in candidates if c.refusal(statement) is None] or candidates[-1:]
