"""Coordinates relative to the prior: a site that is drawn around others is told by how far from them it is.

For `theta ~ Normal(mu, tau)` the coordinate is `(theta − mu) / tau`. In a hierarchical model the values themselves
are a funnel, and these are nearly independent of `mu` and `tau` where the data say little ("non-centred"). The model
itself is the map: it runs with the coordinates in the places of its draws.

Source: Papaspiliopoulos, Roberts and Sköld 2007, Statistical Science 22(1), eq. 4.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from numpyro.distributions import (
    Cauchy,
    ExpandedDistribution,
    Gumbel,
    Independent,
    Laplace,
    Logistic,
    LogNormal,
    MultivariateNormal,
    Normal,
    StudentT,
)

from vipl._core.interpreter import Located, interpret
from vipl._core.statement import over_lanes
from vipl.guides.coordinates import Coordinates
from vipl.guides.graph import terms_of
from vipl.lang.known import known_leaves
from vipl.lang.program import Program
from vipl.tracing.meaning import Meaning, total
from vipl.tracing.survey import Survey, survey

_AROUND = (Normal, StudentT, Cauchy, Laplace, Logistic, Gumbel, LogNormal, MultivariateNormal)


def around_others(surveyed: Survey) -> tuple[str, ...]:
    """Return the addresses of the latent sites that are drawn around others."""
    found, depending = [], {address for address, others in terms_of(surveyed) if others}
    for address, group in surveyed.latents.items():
        located: Located = group[0]
        distribution = located.statement.distribution(known_leaves(located, surveyed.staged))
        base = _innermost(distribution)
        if address in depending and len(group) == 1 and not located.branches and type(base) in _AROUND:
            found.append(address)
    return tuple(found)


def in_model(coordinates: Coordinates, model: Program | None) -> Any:
    """Return coordinates that know their model, if they need it."""
    return PriorCoordinates(coordinates, model) if coordinates.by_prior and model is not None else coordinates


@dataclasses.dataclass(frozen=True)
class PriorCoordinates:
    """Coordinates of which some are relative to the prior.

    Attributes:
        coordinates: the coordinates; those of sites `coordinates.by_prior` are relative.
        model: the model, whose values everything is computed from.
        blend: of those sites, how much the prior counts, and the location and log scale that count for the rest; none
            where it counts alone.
    """

    coordinates: Coordinates
    model: Program
    blend: dict = dataclasses.field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many coordinates there are."""
        return self.coordinates.size

    @property
    def dtype(self):
        """The type of the vector."""
        return self.coordinates.dtype

    @property
    def blocks(self):
        """The sites."""
        return self.coordinates.blocks

    def constrain(self, vector):
        """Return the values of the sites, and the log Jacobian determinant, a scalar."""
        given, log_jacobian = self.coordinates.constrain(vector)
        outputs = self._run(given, _Place)
        return given | outputs[0], log_jacobian + outputs[1]

    def unconstrain(self, values):
        """Return the vector of some values, and the log Jacobian determinant of the way back, a scalar."""
        found, log_jacobian = self._run(values, _Find)
        vector, plain = self.coordinates.unconstrain({**values, **found})
        return vector, plain + log_jacobian

    def _run(self, values, handler):
        surveyed = survey(self.model)
        staged, by_prior = surveyed.staged, self.coordinates.by_prior
        meaning = handler(surveyed, by_prior)
        paths = {s.path: address for address, group in surveyed.latents.items() for s in group if address in values}
        given = meaning.given() | {path: values[address] for path, address in paths.items()}
        moved = {path: address for path, address in paths.items() if address in by_prior}
        given |= {path: (given[path], self.blend.get(address)) for path, address in moved.items()}
        _, outputs = interpret(staged.jaxpr, staged.consts, [], meaning, given)
        placed = {paths[path]: output.value for path, output in outputs.items() if isinstance(output, _Moved)}
        return placed, total(outputs)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class _Moved:
    """A value, or a coordinate, and the log Jacobian determinant of the way from coordinate to value."""

    value: Any
    log_prob: Any


class _Place(Meaning):
    """Runs the model with coordinates for the sites that are drawn around others, and values for the rest."""

    def __init__(self, surveyed, by_prior):
        super().__init__(surveyed, record=False)
        self.by_prior, self.in_expectation = by_prior, False

    def sample(self, path, statement, operands, given):
        """Return the value of a site, and the Jacobian of those that are moved."""
        del path
        if statement.address in self.by_prior:
            extra = (*statement.lanes,)
            lanes = [dataclasses.replace(lane, mapped=lane.mapped[: len(operands)]) for lane in extra]
            moved = over_lanes(lambda *xs: self.move(statement.distribution(xs[:-1]), *xs[-1]), lanes, extra=1)
            result, value, log_jacobian = moved(*operands, given)
            return value, _Moved(result, log_jacobian)
        if given is not None:
            return given, None
        if statement.observed:
            return over_lanes(lambda *xs: jnp.asarray(xs[-1]), statement.lanes)(*operands), None
        return jnp.zeros(statement.full_shape, statement.dtype), None  # data that are absent

    def factor(self, path, statement, operands, given):
        """Pass on the weight, which does not count here."""
        value, _ = super().factor(path, statement, operands, given)
        return value, None

    @staticmethod
    def move(distribution, coordinate, blend):
        """Return value, value and log Jacobian determinant at a coordinate."""
        base = _innermost(distribution)
        if isinstance(base, MultivariateNormal):
            tril: Any = base.scale_tril
            value = base.loc + jnp.matmul(tril, coordinate[..., None])[..., 0]
            log_jacobian = jnp.sum(jnp.log(jnp.diagonal(tril, axis1=-2, axis2=-1)), -1)
            return value, value, jnp.sum(jnp.broadcast_to(log_jacobian, value.shape[:-1]))
        loc, log_scale = _blended(base, blend)
        value = loc + jnp.exp(log_scale) * coordinate
        log_jacobian = log_scale
        if isinstance(base, LogNormal):
            log_jacobian, value = log_jacobian + value, jnp.exp(value)
        return value, value, jnp.sum(jnp.broadcast_to(log_jacobian, value.shape))


class _Find(_Place):
    """Runs the model with values for all sites, and finds the coordinates of those that are drawn around others."""

    @staticmethod
    def move(distribution, value, blend):
        """Return coordinate, value and log Jacobian determinant at a value."""
        base = _innermost(distribution)
        if isinstance(base, MultivariateNormal):
            tril: Any = base.scale_tril
            away = (value - base.loc)[..., None]
            whole = jnp.broadcast_to(tril, (*away.shape[:-2], *tril.shape[-2:]))
            coordinate = jax.scipy.linalg.solve_triangular(whole, away, lower=True)[..., 0]
            log_jacobian = jnp.sum(jnp.log(jnp.diagonal(tril, axis1=-2, axis2=-1)), -1)
            return coordinate, value, jnp.sum(jnp.broadcast_to(log_jacobian, value.shape[:-1]))
        real = jnp.log(value) if isinstance(base, LogNormal) else value
        loc, log_scale = _blended(base, blend)
        log_jacobian = log_scale + (real if isinstance(base, LogNormal) else 0.0)
        return (real - loc) * jnp.exp(-log_scale), value, jnp.sum(jnp.broadcast_to(log_jacobian, real.shape))


def _blended(base, blend):
    if blend is None:
        return base.loc, jnp.log(base.scale)
    share, loc, log_scale = blend
    return share * base.loc + (1 - share) * loc, share * jnp.log(base.scale) + (1 - share) * log_scale


def _innermost(distribution) -> Any:
    while type(distribution) in (ExpandedDistribution, Independent):
        distribution = distribution.base_dist
    return distribution
