"""`MeanField`: independent normals in unconstrained coordinates."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpyro.distributions import Normal, TransformedDistribution, constraints

from vipl.guides.coordinates import Block, Coordinates, Frame
from vipl.guides.family import FamilyGuide, GuideFamily, check_positive
from vipl.guides.positive import softplus, softplus_inverse
from vipl.guides.rest import Rest
from vipl.lang.param import param
from vipl.lang.program import Program
from vipl.lang.sample import sample
from vipl.tracing.survey import Survey


@dataclasses.dataclass(frozen=True)
class MeanField(GuideFamily):
    """Independent normal distributions, one for each unconstrained coordinate of the latent sites.

    A site on a constrained support (positive, simplex, Cholesky factors, …) gets the normal's image under
    NumPyro's `biject_to(support)`. Prefer it for speed and as a first fit; it finds means well and
    understates the spread of correlated posteriors. Cost: two parameters for each coordinate.

    Attributes:
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.

    Params: `<address>.loc` and `<address>.scale`, of the shape of the site's coordinates; of all elements, for a site
    in a subsampled plate. Of discrete sites, `<address>.logits`.

    Requirements: continuous sites whose supports are known statically; finite discrete sites get a categorical factor.

    Raises:
        ParameterError: `init_scale` is not positive.
        EstimatorError: when it is fitted, a latent site is discrete and not finite.
        SupportError: when it is fitted, a support is not known before the model runs.

    Example:
        >>> from vipl import guides
        >>> guides.MeanField()
        MeanField(init_scale=0.1)

    Source: Kucukelbir et al. 2017 (ADVI), JMLR 18(14), §2.4.
    """

    init_scale: float = 0.1

    frame = "diagonal"

    def __post_init__(self):
        check_positive(init_scale=self.init_scale)

    def build(self, surveyed: Survey, frame: Frame | None = None) -> tuple[Program, dict]:
        """Return the guide program and its initial params."""
        latents, params = self.latents(surveyed), {}
        coordinates, rest = latents.together, Rest.of(latents)
        for block, start in zip(coordinates.blocks, coordinates.pieces(latents.start()), strict=True):
            start, scale = (start, self.init_scale) if frame is None else (np.zeros_like(start), 1.0)
            params[f"{block.address}.loc"] = start
            params[f"{block.address}.scale"] = np.full_like(start, softplus_inverse(scale))
        guide = MeanFieldGuide(coordinates, rest)
        return guide.in_context(frame=frame), params | rest.initial(self.init_scale)

    def reframe(self, surveyed, params):
        """Return the frame of the params' own normals."""
        coordinates = self.latents(surveyed).together
        if not coordinates.blocks:
            return None, params
        frame, inside = Frame(*_normals(coordinates, params)), dict(params)
        for block in coordinates.blocks:
            zeros = np.zeros(block.shape, block.dtype)
            inside |= {
                f"{block.address}.loc": zeros,
                f"{block.address}.scale": np.full_like(zeros, softplus_inverse(1.0)),
            }
        return frame, inside

    def settle(self, surveyed, frame, params):
        """Return the params in the coordinates themselves."""
        coordinates, settled = self.latents(surveyed).together, dict(params)
        loc, scale = _normals(coordinates, params)
        loc, scale = frame.place(loc), frame.scale * scale
        pieces = map(coordinates.pieces, (loc, softplus_inverse(scale)))
        for block, loc, raw in zip(coordinates.blocks, *pieces, strict=True):
            settled |= {f"{block.address}.loc": loc, f"{block.address}.scale": raw}
        return None, settled

    def moments(self, surveyed, params):
        """Return those of the normals."""
        latents = self.latents(surveyed)
        return latents.moments(*_normals(latents.together, params)) if latents.together.blocks else None


def _normals(coordinates: Coordinates, params) -> tuple:
    """Return location and scale of all coordinates as vectors."""
    loc, raw = (
        np.concatenate([np.ravel(params[f"{block.address}.{part}"]) for block in coordinates.blocks])
        for part in ("loc", "scale")
    )
    return loc, softplus(raw)


@dataclasses.dataclass(frozen=True)
class MeanFieldGuide(FamilyGuide):
    """The function of a mean-field guide program."""

    coordinates: Coordinates
    rest: Rest

    __name__ = "mean_field"

    def __call__(self, frame: Frame | None = None):
        """Sample every site."""
        blocks = self.coordinates.blocks
        centers = self.coordinates.pieces(frame.center) if frame is not None else [None] * len(blocks)
        scales = self.coordinates.pieces(frame.scale) if frame is not None else [None] * len(blocks)
        for block, center, wide in zip(blocks, centers, scales, strict=True):
            zeros = np.zeros(block.shape, block.dtype)
            loc = param(f"{block.address}.loc", zeros)
            scale = param(f"{block.address}.scale", zeros + 1, constraint=constraints.positive)
            if center is not None:
                loc, scale = center + wide * loc, wide * scale
            _sample(block, loc, scale)
        self.rest.sample()


def _sample(block: Block, loc, scale) -> None:
    normal = Normal(loc, scale).to_event(len(block.shape))
    if block.support.is_real:
        sample(block.address, normal)
    else:
        sample(block.address, TransformedDistribution(normal, block.support.whole(len(block.shape))))
