"""Unconstrained coordinates of a guide's draw, to move it in."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from numpyro.distributions import biject_to

from vipl._core.errors import EstimatorError
from vipl.distributions.support import describe_constraint
from vipl.lang.program import Program
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace
from vipl.transform.soundness.continuous import continuous


@dataclasses.dataclass(frozen=True)
class Coordinates:
    """Maps between the values of sites and real numbers.

    Attributes:
        bijections: from real numbers to values, by address.
    """

    bijections: dict

    def free(self, choices) -> dict:
        """Return the coordinates of values."""
        return {address: bijection.inv(choices[address]) for address, bijection in self.bijections.items()}

    def constrained(self, free) -> tuple[dict, jax.Array]:
        """Return values and the log of the volume that a unit of the coordinates has there."""
        choices, volume = {}, jnp.zeros(())
        for address, bijection in self.bijections.items():
            choices[address], log_det = _transported(bijection)(free[address])
            volume = volume + jnp.sum(log_det)
        return choices, volume


def _transported(bijection):
    """Return a smooth function of coordinates: their formulas clip at the edges of what numbers hold, no sooner."""

    def transport(free):
        value = bijection(free)
        return value, bijection.log_abs_det_jacobian(free, value)

    return continuous(transport)


def coordinates_of(guide: Program, trace: Trace, name: str) -> Coordinates:
    """Return the coordinates in which the draws of a guide are moved; its supports are those of the moved values.

    Args:
        guide: a Program.
        trace: a draw from it.
        name: the objective's, for the error.

    Raises:
        EstimatorError: a site is discrete, in exclusive branches, or in a subsampled plate; its support has no
            coordinates, or depends on parameters within lanes.
    """
    return Coordinates({address: _bijection(group, trace, name) for address, group in survey(guide).latents.items()})


def _bijection(group, trace: Trace, name: str):
    statement = group[0].statement
    if len(group) > 1:
        raise _refused(statement, name, "is in exclusive branches", "one site, whose parameters depend on the branch")
    if statement.discrete:
        raise _refused(statement, name, "is discrete", "sum it out of model and guide; or objectives.iwelbo")
    if statement.scale != 1.0:
        fix = "a plate without subsample_size around latent sites; observations may be subsampled"
        raise _refused(statement, name, "is one of a minibatch", fix)
    support = trace.sites[statement.address].distribution.support
    if jax.tree.leaves(support) and group[0].full_shape != statement.shape:
        raise _refused(
            statement,
            name,
            "is in lanes of a loop or vmap and its support has parameters",
            "a plate, or a fixed support",
        )
    try:
        return biject_to(support)
    except NotImplementedError:
        what = f"has the support {describe_constraint(support)}, which has no unconstrained coordinates"
        raise _refused(statement, name, what, "a guide on the reals, or on another support") from None


def _refused(statement, name: str, what: str, fix: str) -> EstimatorError:
    return EstimatorError(
        f"site {statement.address!r} {what}: {name} moves draws along gradients.", where=statement, fix=fix
    )
