"""What a family of guides is: from a model, a program with parameters and where these start."""

from __future__ import annotations

import dataclasses

import numpy as np

from vipl._core.errors import EstimatorError, SupportError
from vipl._core.interpreter import Located
from vipl.lang.known import is_known, known_leaves
from vipl.lang.program import Program
from vipl.tracing.survey import Survey


class GuideFamily:
    """Base of the guide families: rules that make a guide for any model.

    A family is configuration only; it holds no arrays. To write one, subclass it and define `build`, which looks at
    the latent sites of a surveyed model and returns a Program with `vipl.param` statements, and where these start.

    Example:
        >>> from vipl import guides
        >>> isinstance(guides.MeanField(), guides.GuideFamily)
        True
    """

    def build(self, surveyed: Survey) -> tuple[Program, dict]:
        """Return a guide for a model, and initial values of its params, unconstrained, by address."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Latent:
    """A latent site as a guide family sees it.

    Attributes:
        address: its address.
        shape: shape of its value in a trace.
        event_dim: how many of the last axes belong to one event.
        support: its support, known statically.
        start: unconstrained-free guess of its location, a NumPy array of `shape`, or None.
    """

    address: str
    shape: tuple[int, ...]
    event_dim: int
    support: object
    start: object


def continuous_latents(surveyed: Survey, family: str) -> list[Latent]:
    """List the latent sites of a model, or say which of them a family of densities cannot serve.

    Raises:
        EstimatorError: a site is discrete.
        SupportError: the support of a site depends on other sites or on data that are not known statically.
    """
    return [_latent(address, group[0], surveyed, family) for address, group in surveyed.latents.items()]


def _latent(address, located: Located, surveyed, family) -> Latent:
    statement = located.statement
    if statement.discrete:
        others = ", ".join(repr(a) for a, group in surveyed.latents.items() if not group[0].statement.discrete)
        raise EstimatorError(
            f"{family} has densities only, and site {address!r} is discrete.",
            where=statement,
            fix=f"vipl.marginal(model, [{others}], vipl.Exact()) sums finite sites out; or write a guide program",
        )
    distribution = statement.distribution(known_leaves(located, surveyed.staged))
    try:
        support = distribution.support
        if not is_known(support):
            raise TypeError
    except Exception as error:
        raise SupportError(
            f"the support of site {address!r} is not known before the model runs.",
            where=statement,
            fix="a site on fixed bounds and a transformation of its value; or write a guide program",
        ) from error
    return Latent(address, located.full_shape, support.event_dim, support, _prior_location(distribution, located))


def _prior_location(distribution, located):
    """Return where the prior of a site is centred, if that is known and says anything."""
    base = distribution
    while hasattr(base, "base_dist"):
        base = base.base_dist
    location = getattr(base, "loc", None)
    if base is not distribution and type(distribution).__name__ == "TransformedDistribution":
        return None
    if location is None or not is_known(location):
        return None
    try:
        return np.broadcast_to(np.asarray(location, dtype=np.result_type(located.statement.dtype)), located.full_shape)
    except ValueError:
        return None
