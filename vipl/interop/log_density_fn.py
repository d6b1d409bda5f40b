"""`log_density_fn`: a program as a log density for samplers and optimisers of other libraries."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from vipl._core.keys import as_key
from vipl.guides.unconstrained import Unconstrained
from vipl.guides.unconstrained import unconstrained as in_coordinates
from vipl.lang.program import Program
from vipl.tracing.log_density import log_density
from vipl.tracing.simulate import check_program

_WITHIN = 2.0  # of zero, in unconstrained coordinates, as in Stan


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LogDensityFn:
    """The log density of a program as a function; what `vipl.log_density_fn` returns.

    It is a pytree whose leaves are the program's data, and may be passed to compiled functions.

    Attributes:
        target: the program, and how its latent sites are laid out.
        unconstrained: whether it takes unconstrained values.

    Example:
        >>> import vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("scale", dist.Exponential(1.0))
        >>> vipl.log_density_fn(model()).shapes
        {'scale': ShapeDtypeStruct(shape=(), dtype=float32)}
    """

    target: Unconstrained
    unconstrained: bool = dataclasses.field(default=True, metadata={"static": True})

    def __call__(self, position) -> jax.Array:
        """Return the log density at a position, `{address: array}`: a scalar, in nats."""
        return self.target.log_density(position) if self.unconstrained else log_density(self.target.program, position)

    @property
    def shapes(self) -> dict[str, jax.ShapeDtypeStruct]:
        """Shape and dtype of the array of each site."""
        if self.unconstrained:
            return self.target.shapes
        return jax.eval_shape(self.target.constrain, self.target.shapes)

    def constrain(self, position) -> dict:
        """Return the values of the sites at a position, `{address: array}`."""
        return self.target.constrain(position) if self.unconstrained else dict(position)

    def unconstrain(self, values) -> dict:
        """Return the position at values of the sites, `{address: array}`."""
        return self.target.unconstrain(values) if self.unconstrained else dict(values)

    def initial(self, key) -> dict:
        """Return a random position: each unconstrained coordinate uniform within 2 of zero.

        For several chains, `jax.vmap(fn.initial)(jax.random.split(key, 4))`.
        """
        size, dtype = self.target.coordinates.size, self.target.coordinates.dtype
        vector = jax.random.uniform(as_key(key, "initial"), (size,), dtype, -_WITHIN, _WITHIN)
        if not self.unconstrained:
            return self.target.coordinates.constrain(vector)[0]
        pieces = zip(self.target.coordinates.blocks, self.target.coordinates.pieces(vector), strict=True)
        return {block.address: jnp.asarray(piece) for block, piece in pieces}


def log_density_fn(program: Program, *, unconstrained: bool = True) -> LogDensityFn:
    """Return the log density of a program as a function of a position, `{address: array}`.

    Prefer it to `vipl.log_density` to hand a program to a sampler (BlackJAX, NumPyro) or an optimiser (optax, SciPy):
    these need a function of arrays that are free to go anywhere. By default the arrays are unconstrained: a positive
    site by its logarithm, a simplex of n by n − 1 numbers, as NumPyro's `biject_to(support)` has it; the log Jacobian
    is in the density, so that draws of the arrays, through `constrain`, are draws of the posterior.

    Args:
        program: a conditioned Program, whose latent sites are continuous.
        unconstrained: whether positions are unconstrained arrays; else they are the values of the sites, without
            Jacobian, as an optimiser for the mode of the density of the values wants.

    Returns:
        A function with `shapes`, `constrain`, `unconstrain` and `initial`. It is plain JAX: compile, map and
        differentiate it.

    Raises:
        ProgramError: `program` is not a Program.
        EstimatorError: a latent site is discrete.
        ShapeError: a plate is subsampled; called: an array has not the shape of its site.
        DensityError: the density of the program is an estimate.
        SupportError: a support depends on other sites, or on data that are not known statically.
        AddressError: called: an address is missing, or there is no such site.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(y):
        ...     rate = vipl.sample("rate", dist.Gamma(2.0, 1.0))
        ...     vipl.sample("y", dist.Poisson(rate), obs=y)
        >>> fn = vipl.log_density_fn(model(3))
        >>> position = fn.unconstrain({"rate": 2.0})
        >>> round(float(fn(position)), 3)
        -2.326
        >>> round(float(jax.grad(fn)(position)["rate"]), 3)
        1.0

    Source: Kucukelbir et al. 2017 (ADVI), JMLR 18(14), §2.3, eq. 5, for the density of transformed values.
    """
    check_program(program, "log_density_fn")
    return LogDensityFn(in_coordinates(program, "log_density_fn"), unconstrained)
