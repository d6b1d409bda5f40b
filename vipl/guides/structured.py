"""`Structured`: each site is normal around what it depends on in the model."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from numpyro.distributions import Normal

from vipl.guides.coordinates import Block, Coordinates
from vipl.guides.family import check_positive
from vipl.guides.graph import dependencies
from vipl.guides.joint_family import JointFamily, Law
from vipl.guides.positive import softplus_inverse


@dataclasses.dataclass(frozen=True)
class Structured(JointFamily):
    """Each site given those before it that it depends on: a normal whose mean is linear in them.

    What depends on what is read off the model. Large sites of one shape depend on each other element by element, all
    others by a matrix; the elements of a small site have a full covariance, those of a large one are independent.
    Prefer it to `FullRank` for models of many groups, where d² parameters are too many: a site of N groups that depends
    on k hyperparameters takes N (k + 2). By default the coordinates of a site that is drawn around others are relative
    to those, so that the guide has the funnel of a hierarchical model in it.

    Attributes:
        init_scale: standard deviation at the start, in unconstrained units, where vipl does not look for one itself.
        largest: how many elements a small site has at most.
        noncentered: whether the coordinate of a site that is drawn around others, `theta ~ Normal(mu, tau)`, is how far
            from them it is, `(theta − mu) / tau`.

    Params: `structured.loc` and `structured.scale`, `(d,)`, of which the softplus counts, for each pair of sites
    `structured.<site> on <other>`, and for each small site `structured.<site> on <site>`, of which the strict lower
    triangle counts.

    Requirements: as of `FullRank`.

    Raises:
        ParameterError: `init_scale` is not positive.

    Example:
        >>> from vipl import guides
        >>> guides.Structured()
        Structured(init_scale=0.1, largest=64, noncentered=True)

    Source: Hoffman and Blei 2015, arXiv 1404.4114, "Structured stochastic variational inference"; the graph as in
    Webb et al. 2018, arXiv 1712.00287.
    """

    init_scale: float = 0.1
    largest: int = 64
    noncentered: bool = True

    frame = "full"

    def __post_init__(self):
        check_positive(init_scale=self.init_scale)

    def initial(self, center, in_frame, coordinates: Coordinates, surveyed):
        """Return where the params start."""
        scale = 1.0 if in_frame else self.init_scale
        params = {"loc": center, "scale": np.full_like(center, softplus_inverse(scale))}
        blocks = {block.address: block for block in coordinates.blocks}
        for address, others in dependencies(surveyed, list(blocks)).items():
            one = blocks[address]
            if 1 < one.size <= self.largest:
                others = [*others, address]
            for other in others:
                two = blocks[other]
                by_element = one.shape == two.shape and one.size > self.largest
                shape = (one.size,) if by_element else (one.size, two.size)
                params[f"{address} on {other}"] = np.zeros(shape, center.dtype)
        return params

    def law(self, params, coordinates: Coordinates):
        """Return the normal law."""
        loc, scale = params["loc"], jax.nn.softplus(params["scale"])
        log_jacobian = jnp.sum(jnp.log(scale))

        def mean(block: Block, part, found: dict):
            """Return the mean of a block, flat, given the coordinates of those before it."""
            total = loc[part]
            for other, value in found.items():
                slope = params.get(f"{block.address} on {other}")
                if slope is not None:
                    total += slope * value if slope.ndim == 1 else slope @ value
            return total

        def spread(block: Block, part):
            """Return the scale of a block: lower triangular of a small one, else of each element."""
            own = params.get(f"{block.address} on {block.address}")
            return scale[part] if own is None else jnp.tril(own, -1) + jnp.diag(scale[part])

        def push(noise):
            found = {}
            for block, part in _parts(coordinates):
                wide, own = spread(block, part), noise[part]
                found[block.address] = mean(block, part, found) + (wide * own if wide.ndim == 1 else wide @ own)
            return jnp.concatenate(list(found.values())), log_jacobian

        def pull(vector):
            found, noise = {}, []
            for block, part in _parts(coordinates):
                wide, away = spread(block, part), vector[part] - mean(block, part, found)
                noise.append(away / wide if wide.ndim == 1 else solve_triangular(wide, away, lower=True))
                found[block.address] = vector[part]
            return jnp.concatenate(noise), log_jacobian

        return Law(Normal(jnp.zeros_like(loc), 1.0).to_event(1), push, pull)


def _parts(coordinates: Coordinates):
    """Yield each block, and where in the vector it is."""
    start = 0
    for block in coordinates.blocks:
        yield block, slice(start, start + block.size)
        start += block.size
