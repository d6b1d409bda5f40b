"""The finite sites that are summed out: which states each of them has.

The elements of a site are variables of their own along its *tied* axes, where each term of the log density looks at one
element at a time; they take all states side by side. Along its *joint* axes they are one variable together, whose
states are their combinations.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from vipl._core.errors import DensityError
from vipl.distributions.finite import support_points
from vipl.lang.known import Unknown, known_leaves

_WRAPPERS = (dist.ExpandedDistribution, dist.MaskedDistribution, dist.Independent)


@dataclasses.dataclass(frozen=True, eq=False)
class Variable:
    """A finite site.

    Attributes:
        name: its name.
        points: its support, `(K, *event_shape)`.
        shape: of its elements.
        joint: axes of `shape` along which the elements are one variable.
    """

    name: str
    points: np.ndarray
    shape: tuple[int, ...]
    joint: tuple[int, ...] = ()

    @property
    def tied(self) -> tuple[int, ...]:
        """Axes along which each element is a variable of its own."""
        return tuple(axis for axis in range(len(self.shape)) if axis not in self.joint)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the joint axes."""
        return tuple(self.shape[axis] for axis in self.joint)

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.points) ** math.prod(self.sizes)

    def with_joint(self, axis: int) -> Variable:
        """Return the variable with one more joint axis."""
        return dataclasses.replace(self, joint=tuple(sorted({*self.joint, axis})))

    def value(self, state):
        """Return the value of the site, all tied elements in one state, a scalar."""
        return jnp.broadcast_to(self.values(jnp.reshape(state, (1,) * len(self.tied))), self.value_shape)

    def values(self, states):
        """Return the value of the site, of states with the tied axes in order."""
        powers = len(self.points) ** np.arange(math.prod(self.sizes))[::-1]
        digits = (states[..., None] // powers) % len(self.points)
        value = jnp.asarray(self.points)[jnp.reshape(digits, (*states.shape, *self.sizes))]
        return jnp.moveaxis(value, range(len(self.shape)), (*self.tied, *self.joint))

    @property
    def value_shape(self) -> tuple[int, ...]:
        """Shape of the value of the site."""
        return self.shape + self.points.shape[1:]

    def in_step(self) -> Variable:
        """Return the variable of one step of the scan that it is in."""
        return dataclasses.replace(self, shape=self.shape[1:])


def variable(name: str, group, staged, purpose: str) -> Variable:
    """Return the variable of a site.

    Args:
        name: its name.
        group: the site in the staged program; several where exclusive branches share it.
        staged: the program.
        purpose: what is made of the program, for errors.

    Raises:
        DensityError: its support is not finite, not known statically, or not the same in exclusive branches; or it is
            masked, and its draws are to be summed over, whose density that is not.
    """
    supports = [_points(located, staged) for located in group]
    first = supports[0]
    for located, support in zip(group, supports, strict=True):
        if support is None or first is None:
            raise DensityError(
                f"{purpose} by vipl.Exact sums over the support of site {name!r}, "
                "which is not finite, or not known before the program runs.",
                where=located.statement,
                fix="vipl.Importance(…), which draws; here Bernoulli, Categorical, Binomial of constant total_count, …"
                + (f"; or keep=[{name!r}, …]" if purpose == "vipl.marginal" else ""),
            )
        if purpose == "vipl.marginal" and _is_masked(located.statement):
            raise DensityError(
                f"{purpose} by vipl.Exact: site {name!r} is masked; its density is not that of its draws, and sums to "
                "more than one.",
                where=located.statement,
                fix="no mask there: where all that depends on it is masked, it sums to one by itself",
            )
        if not np.array_equal(first, support):
            raise DensityError(
                f"{purpose} by vipl.Exact: site {name!r} has one support in one branch, and another in another.",
                where=located.statement,
                fix="addresses of their own for the two",
            )
    assert first is not None
    located = group[0]
    shape = located.full_shape[: len(located.full_shape) - (first.ndim - 1)]
    return Variable(name, first.astype(located.statement.dtype), shape)


def _element(distribution):
    """Return the distribution without the axes that gather independent elements in one event."""
    while isinstance(distribution, _WRAPPERS):
        distribution = distribution.base_dist
    return distribution


def _is_masked(statement) -> bool:
    distribution = statement.distribution([Unknown()] * statement.structure.num_leaves)
    while isinstance(distribution, _WRAPPERS):
        if isinstance(distribution, dist.MaskedDistribution):
            return True
        distribution = distribution.base_dist
    return False


def _points(located, staged) -> np.ndarray | None:
    """Return the support of an element of a site, or None."""
    if not located.statement.discrete:
        return None
    leaves, found = known_leaves(located, staged), []
    atoms = located.eqn.invars[: len(leaves)]
    unknown = [atom.aval for atom, leaf in zip(atoms, leaves, strict=True) if isinstance(leaf, Unknown)]

    def look(unknown):
        unknown = iter(unknown)
        filled = [next(unknown) if isinstance(leaf, Unknown) else leaf for leaf in leaves]
        with jax.ensure_compile_time_eval():
            found.append(np.asarray(support_points(_element(located.statement.distribution(filled)))))

    try:
        jax.eval_shape(look, [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in unknown])
    except Exception:
        return None
    return found[0]
