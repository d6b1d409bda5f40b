"""The log density of a program in unconstrained coordinates, for samplers and optimisers of any kind.

    posterior = unconstrained(model)
    posterior.log_density({"mu": 0.3, "tau": -1.2})       # tau by its logarithm; the Jacobian is in it
    posterior.constrain({"mu": 0.3, "tau": -1.2})         # {"mu": 0.3, "tau": 0.301}

All of it is plain JAX. Structure is looked at once, when `unconstrained` is called.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from vipl._core.errors import AddressError, DensityError, EstimatorError, ShapeError, did_you_mean
from vipl._core.source import user_source
from vipl.guides.coordinates import Coordinates
from vipl.guides.latents import latents_of
from vipl.lang.program import Program
from vipl.tracing.log_density import log_density
from vipl.tracing.survey import Survey, survey


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Unconstrained:
    """A program whose latent sites are given by unconstrained arrays; a pytree, whose leaves are the program's.

    Attributes:
        program: a conditioned Program.
        coordinates: how its latent sites are laid out.
    """

    program: Program
    coordinates: Coordinates = dataclasses.field(metadata={"static": True})

    @property
    def shapes(self) -> dict[str, jax.ShapeDtypeStruct]:
        """Shape and dtype of the unconstrained array of each site."""
        return {b.address: jax.ShapeDtypeStruct(b.shape, jnp.dtype(b.dtype)) for b in self.coordinates.blocks}

    def log_density(self, values) -> jax.Array:
        """Return log p(z, y) + log |dz / dx| at unconstrained values x by address: a scalar, in nats."""
        return self.log_density_of_vector(self.vector(values))

    def log_density_of_vector(self, vector) -> jax.Array:
        """Return the same at one vector, site after site, `(d,)`."""
        choices, log_jacobian = self.coordinates.constrain(vector)
        return log_density(self.program, choices) + log_jacobian

    def constrain(self, values) -> dict:
        """Return the values of the sites at unconstrained ones."""
        return self.coordinates.constrain(self.vector(values))[0]

    def unconstrain(self, choices) -> dict:
        """Return the unconstrained values of values of the sites."""
        pieces = self.coordinates.pieces(self.coordinates.unconstrain(choices)[0])
        return {block.address: piece for block, piece in zip(self.coordinates.blocks, pieces, strict=True)}

    def vector(self, values) -> jax.Array:
        """Return unconstrained values as one vector.

        Raises:
            AddressError: an address is missing, or there is no such site.
            ShapeError: an array does not have the shape of its site's coordinates.
        """
        shapes, source = self.shapes, user_source()
        for address in (*values, *shapes):
            if address not in shapes or address not in values:
                raise AddressError(
                    f"{self.program.name} has no latent site {address!r}." + did_you_mean(str(address), shapes)
                    if address not in shapes
                    else f"no unconstrained value for the latent site {address!r} of {self.program.name}.",
                    where=source,
                    fix="exactly " + ", ".join(map(repr, shapes)),
                )
            if jnp.shape(values[address]) != shapes[address].shape:
                raise ShapeError(
                    f"the unconstrained value of {address!r} has shape {jnp.shape(values[address])}, and its "
                    f"coordinates {shapes[address].shape}.",
                    where=source,
                    fix="a simplex of n has n - 1 coordinates; unconstrain(choices) makes them of values",
                )
        pieces = [jnp.ravel(jnp.asarray(values[address])).astype(self.coordinates.dtype) for address in shapes]
        return jnp.concatenate(pieces) if pieces else jnp.zeros(0)


def unconstrained(program: Program, caller: str) -> Unconstrained:
    """Look at the latent sites of a program.

    Args:
        program: a conditioned Program.
        caller: who needs its density, for the errors.

    Raises:
        EstimatorError: a latent site is discrete.
        ShapeError: a plate is subsampled, so there is no density without randomness.
        DensityError: the density is an estimate.
        SupportError: a support depends on other sites, or on data that are not known statically.
    """
    surveyed = survey(program)
    _refuse_discrete(surveyed, caller)
    for name, (located, *_) in surveyed.indices.items():
        raise ShapeError(
            f"{caller} needs the whole density, and plate {name!r} of {program.name} looks at a subsample.",
            where=located.statement,
            fix="the model without subsample_size",
        )
    if surveyed.estimating:
        raise DensityError(
            f"{caller} needs an exact density, and that of {program.name} is an estimate that draws "
            f"{surveyed.estimating[0].statement.address!r}.",
            where=surveyed.estimating[0].statement,
            fix="vipl.Exact() in place of vipl.Importance or vipl.SMC, where the sites are finite",
        )
    return Unconstrained(program, latents_of(surveyed, caller).together)


def _refuse_discrete(surveyed: Survey, caller: str) -> None:
    continuous = [a for a, group in surveyed.latents.items() if not group[0].statement.discrete]
    for address, (located, *_) in surveyed.latents.items():
        if located.statement.discrete:
            others = ", ".join(map(repr, continuous))
            raise EstimatorError(
                f"{caller} needs a density that can be differentiated, and site {address!r} is discrete.",
                where=located.statement,
                fix=f"vipl.marginal(model, [{others}], vipl.Exact()) sums finite sites out",
            )
