"""`Delta`: a point, where the log density of the model is highest."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl._core.errors import EstimatorError
from vipl.guides.coordinates import Coordinates, Frame
from vipl.guides.direct import summed_out
from vipl.guides.family import FamilyGuide, GuideFamily
from vipl.guides.joint import at_point
from vipl.lang.param import param
from vipl.lang.program import Program
from vipl.tracing.survey import Survey


@dataclasses.dataclass(frozen=True)
class Delta(GuideFamily):
    """One value for each latent site: the mode of the posterior density of the values (MAP).

    It has no spread, so that its evidence lower bound is the log density itself, and nothing tells how good it is:
    its verdict is never "good". Prefer it for penalised maximum likelihood, or to learn the params of a model; for a
    posterior, `Laplace` puts a normal around a mode.

    Params: `delta.loc`, `(d,)`, the unconstrained coordinates of all sites.

    Requirements: continuous sites, outside of subsampled plates, whose supports are known statically.

    Raises:
        EstimatorError: when it is fitted, a site is discrete or in a subsampled plate.

    Example:
        >>> from vipl import guides
        >>> guides.Delta()
        Delta()
    """

    frame = "full"

    def build(self, surveyed: Survey, frame: Frame | None = None) -> tuple[Program, dict]:
        """Return the guide program and its initial params."""
        latents = self.latents(surveyed)
        for site in (*latents.discrete, *latents.local):
            located = surveyed.latents[site.address][0]
            raise EstimatorError(
                f"Delta sets continuous sites that are the same in every run, and site {site.address!r} is "
                f"{'discrete' if located.statement.discrete else 'in a subsampled plate'}.",
                where=located.statement,
                fix=f"guides.MeanField(); or {summed_out(surveyed)}, which sums finite sites out",
            )
        start = latents.start()
        guide = DeltaGuide(latents.together)
        return guide.in_context(frame=frame), {"delta.loc": start if frame is None else np.zeros_like(start)}

    def settle(self, surveyed, frame, params):
        """Return the params in the coordinates themselves."""
        del surveyed
        return None, {"delta.loc": frame.place(params["delta.loc"])}


@dataclasses.dataclass(frozen=True)
class DeltaGuide(FamilyGuide):
    """The function of such a guide program."""

    coordinates: Coordinates

    __name__ = "delta"

    def __call__(self, frame: Frame | None = None):
        """Set every site."""
        vector = param("delta.loc", np.zeros(self.coordinates.size, self.coordinates.dtype))
        if self.coordinates.blocks:
            at_point(self.coordinates, vector if frame is None else frame.place(vector))
