"""A site as it stands in a staged program: its distribution taken apart, and what is known of it statically."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution, ExpandedDistribution, Independent, MaskedDistribution

from vipl._core.compat import staging_depth, x64_enabled
from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl._core.statement import ScoredStatement
from vipl.distributions.base_noise import Noise, noise_of
from vipl.distributions.cdf import has_cdf
from vipl.distributions.censoring import is_censored
from vipl.distributions.components import num_components, without_plates
from vipl.distributions.finite import num_support_points
from vipl.distributions.improper import is_improper
from vipl.distributions.moving import support_moves
from vipl.distributions.relaxable import is_relaxable
from vipl.distributions.reparameterised import is_reparameterised


@dataclasses.dataclass(frozen=True, eq=False)
class SampleStatement(ScoredStatement):
    """A site.

    Operands are the leaves of its distribution, then the arrays of the estimator that it asks for, and then the
    observation if there is one.

    Attributes:
        structure: the tree structure of the distribution.
        observed: whether the last operand is an observation.
        noise: the parameter-free noise that a draw is made from.
        reparameterised: whether the distribution has a differentiable sampler.
        discrete: whether its support is.
        support_size: number of points of a finite support, or None.
        support_moves: whether the support depends on parameters.
        censored: whether the density is that of an observation, and no draw's.
        improper: whether the density is flat, and there are no draws.
        components: of how many differentiable components it is a mixture, or None.
        elements: how many of its elements are in one event, where it is a mixture.
        has_cdf: whether its distribution function is exact.
        event_dim: how many of the last axes of its value belong to one event.
        distribution_name: the class of its distribution.
        estimator: the gradient estimator that the site asks for, with shapes in place of its arrays, or None.
        token: stands for the draw, to say which choice a log density is of.
    """

    structure: Any = None
    observed: bool = False
    noise: Noise | None = None
    reparameterised: bool = False
    discrete: bool = False
    support_size: int | None = None
    support_moves: bool = False
    censored: bool = False
    improper: bool = False
    components: int | None = None
    elements: int = 1
    has_cdf: bool = False
    event_dim: int = 0
    distribution_name: str = ""
    estimator: object = None
    token: object = None

    noun = "site"

    @property
    def draws(self):
        """A latent site needs randomness of its own in every lane."""
        return not self.observed

    def distribution(self, leaves) -> Distribution:
        """Return the distribution, given its leaves and what operands may follow."""
        return jax.tree.unflatten(self.structure, leaves[: self.structure.num_leaves])

    def filled(self, operands):
        """Return the estimator that the site asks for, with its arrays."""
        start, structure = self.structure.num_leaves, jax.tree.structure(self.estimator)
        return jax.tree.unflatten(structure, operands[start : start + structure.num_leaves])


def site_statement(address, source, distribution, here, obs, estimator) -> SampleStatement:
    """Return the statement of a site.

    Args:
        address: its full address.
        source: the user's line.
        distribution: its distribution, expanded to its plates.
        here: its surroundings.
        obs: the observed value as an array, or None.
        estimator: the estimator that it asks for, or None.
    """
    return SampleStatement(
        address,
        source,
        staging_depth() - here.depth,
        tuple(distribution.shape()),
        jnp.result_type(obs) if obs is not None else _drawn_dtype(address, distribution, here, estimator),
        structure=jax.tree.structure(distribution),
        observed=obs is not None,
        plates=here.plates,
        noise=noise_of(distribution),
        reparameterised=is_reparameterised(distribution),
        discrete=bool(distribution.is_discrete),
        support_size=num_support_points(distribution),
        support_moves=support_moves(distribution),
        censored=is_censored(distribution),
        improper=is_improper(distribution),
        components=num_components(distribution),
        elements=math.prod(distribution.event_shape[: distribution.event_dim - without_plates(distribution).event_dim]),
        has_cdf=has_cdf(distribution),
        event_dim=len(distribution.event_shape),
        distribution_name=_name(distribution),
        estimator=jax.tree.map(jax.typeof, estimator) if is_estimator(estimator) else estimator,
        token=object(),
    )


def _drawn_dtype(address, distribution, here, estimator):
    dtype = value_dtype(distribution)
    relaxed = here.relaxes(address) or getattr(estimator, "relaxed", False)
    return jnp.promote_types(dtype, jnp.result_type(float)) if relaxed and is_relaxable(distribution) else dtype


def is_estimator(estimator) -> bool:
    """Return whether this is an estimator, not a class of them or something else; the layer is above this one."""
    return hasattr(estimator, "weigh") and not isinstance(estimator, type)


def value_dtype(distribution: Distribution):
    """Return the dtype of a distribution's draws, without drawing."""
    if is_improper(distribution):
        return jnp.result_type(int if distribution.is_discrete else float)
    leaves, structure = jax.tree.flatten(distribution)
    return _value_dtype(structure, tuple((np.shape(x), jnp.result_type(x)) for x in leaves), x64_enabled())


@functools.lru_cache(maxsize=4096)
def _value_dtype(structure, avals, x64):
    del x64  # part of the cache's key

    def draw(*leaves):  # the key is made here, lest the program that is being staged gets an equation for it
        return jax.tree.unflatten(structure, leaves).sample(jax.random.key(0))

    leaves = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in avals]
    try:
        return jax.eval_shape(draw, *leaves).dtype
    except (NotImplementedError, ImportError) as error:
        name = type(jax.tree.unflatten(structure, leaves)).__name__
        raise ProgramError(
            f"{name} cannot be sampled from" + (f" ({error})." if str(error) else "."),
            where=user_source(),
            fix="vipl.factor adds a log density alone",
        ) from error


def _name(distribution) -> str:
    while isinstance(distribution, (ExpandedDistribution, Independent, MaskedDistribution)):
        distribution = distribution.base_dist
    return type(distribution).__name__
