"""The part that all guide families share: local sites of subsampled plates, and discrete sites, each by itself.

A continuous site in a subsampled plate has a normal of its own for each element of the whole plate, of which a run
looks at a few; a discrete site has a category for each of its values.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Bernoulli, Categorical, Normal, TransformedDistribution
from numpyro.distributions.transforms import IndependentTransform

from vipl.distributions.extra import OneHotCategorical
from vipl.guides.latents import Discrete, Latents, Local, LocalPlate
from vipl.guides.positive import softplus_inverse
from vipl.lang.param import param
from vipl.lang.plate import plate
from vipl.lang.sample import sample

_CATEGORIES = {"boolean": Bernoulli, "integer": Categorical, "one hot": OneHotCategorical}


@dataclasses.dataclass(frozen=True)
class Rest:
    """The sites that a family does not draw together, as a part of its guide.

    Attributes:
        local: continuous sites in subsampled plates.
        discrete: sites of finite support.
        rows_given: whether the params are those of the elements that are looked at alone, and not of all.
    """

    local: tuple[Local, ...]
    discrete: tuple[Discrete, ...]
    rows_given: bool = False

    @classmethod
    def of(cls, latents: Latents) -> Rest:
        """Return the rest of the sites of a model."""
        return cls(latents.local, latents.discrete)

    def initial(self, init_scale: float = 0.1) -> dict:
        """Return where its params start, unconstrained."""
        params = {}
        for site in self.local:
            zeros = np.zeros(site.whole_shape, site.block.dtype)
            params[f"{site.block.address}.loc"] = zeros
            params[f"{site.block.address}.scale"] = np.full_like(zeros, softplus_inverse(init_scale))
        for site in self.discrete:
            params[f"{site.address}.logits"] = np.zeros(_logits_shape(site, site.whole_shape), jnp.result_type(float))
        return params

    def rows(self) -> dict[str, tuple[LocalPlate, ...]]:
        """Return of each param that has rows for the elements of subsampled plates, by name, the plates."""
        found = {f"{site.address}.{part}": site.plates for site in self.local for part in ("loc", "scale")}
        found |= {f"{site.address}.logits": site.plates for site in self.discrete if site.plates}
        return found

    def sample(self) -> None:
        """Sample the sites, in a guide."""
        plates: dict = {}
        for site in (*self.local, *self.discrete):
            with contextlib.ExitStack() as stack:
                rows = _identity
                for frame in site.plates:
                    if frame.address not in plates:
                        plates[frame.address] = plate(
                            frame.address, frame.size, subsample_size=frame.length, dim=frame.dim
                        )
                    index = stack.enter_context(plates[frame.address])
                    if not self.rows_given:
                        rows = functools.partial(_rows, rows, index, frame.axis)
                sample(site.address, self._local(site, rows) if isinstance(site, Local) else self._discrete(site, rows))

    def _local(self, site: Local, rows):
        zeros = jnp.zeros(site.block.shape if self.rows_given else site.whole_shape, site.block.dtype)
        loc, raw = rows(param(f"{site.address}.loc", zeros)), rows(param(f"{site.address}.scale", zeros))
        normal = Normal(loc, jax.nn.softplus(raw)).to_event(site.event_dim)  # of the rows alone
        if site.block.support.is_real:
            return normal
        bijection = site.block.support.bijection
        extra = site.event_dim - bijection.domain.event_dim
        return TransformedDistribution(normal, IndependentTransform(bijection, extra) if extra else bijection)

    def _discrete(self, site: Discrete, rows):
        shape = _logits_shape(site, site.shape if self.rows_given else site.whole_shape)
        return _CATEGORIES[site.kind](logits=rows(param(f"{site.address}.logits", jnp.zeros(shape))))


def _identity(values):
    return values


def _rows(inner, index, axis, values):
    return jnp.take(inner(values), index, axis=axis, mode="clip", unique_indices=True)


def _logits_shape(site: Discrete, shape) -> tuple[int, ...]:
    return tuple(shape) if site.kind == "boolean" else (*shape, site.num_points)
