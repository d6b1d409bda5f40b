"""Families that are found directly, without stochastic gradients."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl._core.errors import EstimatorError
from vipl.guides.family import GuideFamily
from vipl.guides.latents import Latents
from vipl.guides.start.find import LARGEST
from vipl.lang.program import Program
from vipl.tracing.survey import Survey


@dataclasses.dataclass(frozen=True)
class Solution:
    """What a direct family has found.

    Attributes:
        params: of the guide that `build` makes, by address.
        history: log densities on the way, in nats.
        status: "finished", or why it is no solution.
    """

    params: dict
    history: np.ndarray
    status: str = "finished"


def summed_out(surveyed: Survey) -> str:
    """Return the code of the model with its discrete sites summed out."""
    kept = [repr(a) for a, group in surveyed.latents.items() if not group[0].statement.discrete]
    return f"vipl.marginal(model, [{', '.join(kept)}], vipl.Exact())"


class DirectFamily(GuideFamily):
    """Base of the families that find their params from the log density and its gradient at points of their own."""

    def solve(self, surveyed: Survey, model: Program, key, num_steps: int) -> Solution:
        """Find the params.

        Args:
            surveyed: the model.
            model: the same, with values of its params.
            key: a key.
            num_steps: how many steps to make at most.
        """
        raise NotImplementedError

    def whole(self, surveyed: Survey) -> Latents:
        """Return the latent sites, or refuse a model whose log density is no function of their coordinates.

        Raises:
            EstimatorError: there are discrete sites, subsampled plates, estimated densities, or too many coordinates.
        """
        latents, name = self.latents(surveyed), type(self).__name__
        for site in (*latents.discrete, *latents.local):
            located = surveyed.latents[site.address][0]
            kind = "discrete" if located.statement.discrete else "in a subsampled plate"
            raise EstimatorError(
                f"{name} looks at the log density of continuous sites, and site {site.address!r} is {kind}.",
                where=located.statement,
                fix=f"{summed_out(surveyed)} sums finite sites out; guides.MeanField() serves all",
            )
        for group in surveyed.indices.values():
            raise EstimatorError(
                f"{name} looks at all data, and plate {group[0].statement.address!r} is subsampled.",
                where=group[0].statement,
                fix="no subsample_size; or guides.FullRank()",
            )
        if surveyed.estimating:
            raise EstimatorError(
                f"{name} looks at the log density, and that of {surveyed.program.name} is an estimate.",
                where=surveyed.estimating[0].statement,
                fix="vipl.Exact() in place of vipl.Importance(…); or guides.FullRank()",
            )
        if not 0 < latents.together.size <= LARGEST:
            raise EstimatorError(
                f"{name} has matrices of all coordinates, and {surveyed.program.name} has {latents.together.size}.",
                where=surveyed.program.name,
                fix="guides.MeanField() or guides.LowRank()",
            )
        return latents
