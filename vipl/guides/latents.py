"""The latent sites of a model as a guide family sees them: what is drawn together, what locally, what is discrete."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpyro.distributions import constraints

from vipl._core.errors import EstimatorError, ShapeError, SupportError
from vipl._core.interpreter import Located
from vipl.distributions.regions import region_of
from vipl.distributions.support import describe_constraint
from vipl.guides.coordinates import Block, Coordinates
from vipl.guides.support import Support
from vipl.lang.known import is_known, known_leaves, known_support
from vipl.tracing.survey import Survey


@dataclasses.dataclass(frozen=True)
class LocalPlate:
    """A subsampled plate around a site.

    Attributes:
        address: its address.
        size: how many elements it has.
        length: how many of them are looked at.
        dim: its batch dimension, negative.
        axis: the axis of the site's value that it is.
    """

    address: str
    size: int
    length: int
    dim: int
    axis: int


@dataclasses.dataclass(frozen=True)
class Local:
    """A continuous site in subsampled plates; its elements in all of the plates have parameters of their own.

    Attributes:
        block: the site; the shape of its coordinates is that of the elements looked at.
        event_dim: how many of the last axes of the coordinates belong to one event.
        plates: the subsampled plates.
    """

    block: Block
    event_dim: int
    plates: tuple[LocalPlate, ...]

    @property
    def address(self) -> str:
        """Its address."""
        return self.block.address

    @property
    def whole_shape(self) -> tuple[int, ...]:
        """Shape of the coordinates of all elements."""
        return whole_shape(self.block.shape, self.plates)


@dataclasses.dataclass(frozen=True)
class Discrete:
    """A site of finite support.

    Attributes:
        address: its address.
        shape: shape of its batch, of the elements looked at.
        num_points: how many values an element can take.
        kind: "boolean", "integer" (from 0), or "one hot".
        plates: the subsampled plates.
    """

    address: str
    shape: tuple[int, ...]
    num_points: int
    kind: str
    plates: tuple[LocalPlate, ...]

    @property
    def whole_shape(self) -> tuple[int, ...]:
        """Shape of the batch of all elements."""
        return whole_shape(self.shape, self.plates)


@dataclasses.dataclass(frozen=True)
class Latents:
    """The latent sites of a model.

    Attributes:
        together: the continuous sites that every draw has as a whole.
        local: the continuous sites in subsampled plates.
        discrete: the sites of finite support.
        starts: where the priors of continuous sites on the whole real line are centred, by address, as far as known.
    """

    together: Coordinates
    local: tuple[Local, ...]
    discrete: tuple[Discrete, ...]
    starts: dict = dataclasses.field(default_factory=dict, compare=False)

    def start(self) -> np.ndarray:
        """Return the vector of coordinates at the centres of the priors; zero where these are not known."""
        zeros = [np.zeros(block.shape, self.together.dtype) for block in self.together.blocks]
        located = [
            zero + self.starts.get(block.address, 0.0) for zero, block in zip(zeros, self.together.blocks, strict=True)
        ]
        return np.concatenate([np.ravel(one) for one in located]) if located else np.zeros(0, np.float32)

    def moments(self, mean, spread) -> dict | None:
        """Return mean and standard deviation of each site, flat, by address, given those of the vector of coordinates.

        None if there are sites besides, or if coordinates are relative to the prior.
        """
        if self.local or self.discrete or self.together.by_prior:
            return None
        pieces = zip(self.together.blocks, *map(self.together.pieces, (mean, spread)), strict=True)
        return {block.address: (mean.ravel(), spread.ravel()) for block, mean, spread in pieces}


def whole_shape(shape, plates) -> tuple[int, ...]:
    """Return a shape with the elements of all subsampled plates in place of those looked at."""
    sizes = {plate.axis: plate.size for plate in plates}
    return tuple(sizes.get(axis, length) for axis, length in enumerate(shape))


def latents_of(surveyed: Survey, family: str, by_prior: tuple[str, ...] = ()) -> Latents:
    """Sort the latent sites of a model, or say which of them a family cannot serve.

    Args:
        surveyed: the model.
        family: what to call the family.
        by_prior: addresses of sites whose coordinates are to be relative to the prior.

    Raises:
        EstimatorError: a discrete site is not finite.
        SupportError: the support of a site depends on other sites or on data that are not known statically.
        ShapeError: a subsampled plate is inside a scan or a vmap.
    """
    together, local, discrete, starts = [], [], [], {}
    for address, (located, *_) in surveyed.latents.items():
        plates = _local_plates(located, surveyed)
        support = _known_support(located, surveyed)
        if located.statement.discrete:
            discrete.append(_discrete(located, support, plates, family))
            continue
        support, relative = Support(support), address in by_prior and not plates
        shape = located.full_shape if relative else support.unconstrained_shape(located.full_shape)
        block = Block(address, shape, np.dtype(located.statement.dtype).name, support, relative)
        if plates:
            bijection = support.bijection
            events = located.statement.event_dim + bijection.domain.event_dim - bijection.codomain.event_dim
            local.append(Local(block, events, plates))
            continue
        together.append(block)
        location = _prior_location(located, surveyed) if support.is_real and not relative else None
        if location is not None:
            starts[address] = location
    return Latents(Coordinates(tuple(together)), tuple(local), tuple(discrete), starts)


def _known_support(located: Located, surveyed: Survey):
    support = known_support(located, surveyed.staged)
    if support is None or not is_known(support):
        raise SupportError(
            f"the support of site {located.statement.address!r} is not known before the model runs.",
            where=located.statement,
            fix="a site on fixed bounds and a transformation of its value; or write a guide program",
        )
    return support


def _local_plates(located: Located, surveyed: Survey) -> tuple[LocalPlate, ...]:
    found = []
    for frame in located.statement.plates:
        if frame.length == frame.size:
            continue
        for drawn in surveyed.indices.get(frame.address, ()):
            if drawn.axes or drawn.statement.lanes:
                raise ShapeError(
                    f"plate {frame.address!r} around site {located.statement.address!r} draws a subsample in each "
                    "step of a scan or lane of a vmap.",
                    where=drawn.statement,
                    fix="open the plate around the scan or the vmap; or write a guide program",
                )
        axis = len(located.full_shape) - located.statement.event_dim + frame.dim
        found.append(LocalPlate(frame.address, frame.size, frame.length, frame.dim, axis))
    return tuple(found)


def _discrete(located: Located, support, plates, family: str) -> Discrete:
    statement = located.statement
    event_dim = statement.event_dim
    shape = located.full_shape[: len(located.full_shape) - event_dim]
    region, size = region_of(support), located.statement.support_size
    if event_dim == 0 and region is not None and region.discrete and not np.any(np.asarray(region.lower)):
        highest = np.unique(np.asarray(region.upper))
        if highest.size == 1 and np.isfinite(highest[0]):
            kind = "boolean" if support is constraints.boolean else "integer"
            return Discrete(statement.address, shape, int(highest[0]) + 1, kind, plates)
    if event_dim == 1 and size is not None and size == located.full_shape[-1]:
        return Discrete(statement.address, shape, size, "one hot", plates)
    raise EstimatorError(
        f"{family} has a category for each value of a discrete site, and site {statement.address!r} has "
        f"{describe_constraint(support)}.",
        where=statement,
        fix="integers 0..n, booleans or one-hot vectors; or a guide program with a distribution for this site",
    )


def _prior_location(located: Located, surveyed: Survey):
    """Return where the prior of a site is centred, if that is known and says anything."""
    base = distribution = located.statement.distribution(known_leaves(located, surveyed.staged))
    while hasattr(base, "base_dist"):
        base = base.base_dist
    if base is not distribution and type(distribution).__name__ == "TransformedDistribution":
        return None
    location = getattr(base, "loc", None)
    if location is None or not is_known(location):
        return None
    try:
        return np.broadcast_to(np.asarray(location, dtype=np.result_type(located.statement.dtype)), located.full_shape)
    except ValueError:
        return None
