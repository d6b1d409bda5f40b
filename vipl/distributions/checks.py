"""Whether values satisfy a constraint, and a value that does, in NumPy or in JAX.

    satisfies(constraints.positive, jnp.array([1.0, -1.0]))    # [True, False]
    satisfies(constraints.real_vector, value)                  # None: nothing to check
    feasible(constraints.simplex, value)                       # (1/K, ..., 1/K)

NumPyro's constraints know both, but check less than they should for some sets (a multinomial count may be
fractional), more strictly than float32 draws obey for others (the unit simplex), or at the cost of an
eigendecomposition. The tables `CHECKS` and `FEASIBLE` hold what vipl does differently; all else is NumPyro's.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import constraints

from vipl._core.compat import is_tracer


def satisfies(constraint, value, xp=jnp):
    """Return which events of `value` satisfy `constraint`.

    Args:
        constraint: a NumPyro constraint.
        value: array of shape `(..., *event)`.
        xp: `jax.numpy`, or `numpy` to compute nothing with XLA; then the bounds must be concrete.

    Returns:
        A boolean array of shape `(...)`, or None where nothing can be violated or nothing is known.
    """
    if xp is np:
        value, constraint = np.asarray(value), jax.tree.map(np.asarray, constraint)
    for cls in type(constraint).__mro__:
        if cls in CHECKS:
            return CHECKS[cls](constraint, value, xp)
    return constraint(value)


def is_unrestricted(constraint) -> bool:
    """Return whether the constraint is all of the reals, elementwise, or unknown."""
    everything = (type(constraints.real), type(constraints.complex))
    return constraint is None or isinstance(_entries(constraint), everything)


def feasible(constraint, like):
    """Return a value inside `constraint`, broadcastable against `like` and constant for derivatives."""
    constraint = _entries(jax.tree.map(jax.lax.stop_gradient, constraint))
    for cls in type(constraint).__mro__:
        if cls in FEASIBLE:
            return FEASIBLE[cls](constraint)
    return constraint.feasible_like(like)


def _entries(constraint):
    """Return the constraint on single entries, or on the smallest events that are judged as one."""
    while isinstance(constraint, constraints.independent):
        constraint = constraint.base_constraint
    return constraint


def _middle(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if not any(_may_be_infinite(bound) for bound in (low, high)):
        return (low + high) / 2
    one_sided = jnp.where(jnp.isfinite(low), low + 1.0, jnp.where(jnp.isfinite(high), high - 1.0, 0.0))
    return jnp.where(jnp.isfinite(low) & jnp.isfinite(high), (low + high) / 2, one_sided)


def _may_be_infinite(bound) -> bool:
    """Return whether a known bound is infinite somewhere; traced ones are taken to be finite."""
    return not is_tracer(bound) and not np.all(np.isfinite(np.asarray(bound)))


def _is_integer(value) -> bool:
    return not jnp.issubdtype(value.dtype, jnp.inexact)


def _independent(constraint, value, xp):
    inside = satisfies(constraint.base_constraint, value, xp)
    if inside is None or constraint.reinterpreted_batch_ndims == 0:
        return inside
    return xp.all(inside, axis=tuple(range(-constraint.reinterpreted_batch_ndims, 0)))


def _integers_between(constraint, value, xp):
    inside = (value >= constraint.lower_bound) & (value <= constraint.upper_bound)
    return inside if _is_integer(value) else inside & (value == xp.floor(value))


def _integers_from(constraint, value, xp):
    inside = value >= constraint.lower_bound
    return inside if _is_integer(value) else inside & (value == xp.floor(value)) & (value < np.inf)


def _boolean(constraint, value, xp):
    return None if value.dtype == bool else (value == 0) | (value == 1)


def _multinomial(constraint, value, xp):
    inside = xp.all(value >= 0, axis=-1) & (xp.sum(value, axis=-1) == constraint.upper_bound)
    return inside if _is_integer(value) else inside & xp.all(value == xp.floor(value), axis=-1)


def _simplex(constraint, value, xp):
    # NumPyro allows 1e-6 whatever the length, which long float32 draws miss by rounding alone
    tolerance = 1e-6 + 10 * float(jnp.finfo(value.dtype).eps) * value.shape[-1] ** 0.5
    return xp.all(value >= 0, axis=-1) & (abs(xp.sum(value, axis=-1) - 1) < tolerance)


def _is_positive_definite(value, xp):
    symmetric = xp.all(xp.isclose(value, xp.swapaxes(value, -2, -1)), axis=(-2, -1))
    if xp is np:
        return symmetric & (np.linalg.eigvalsh(value)[..., 0] > 0)
    # a Cholesky factor is many times cheaper than eigenvalues, and NaN where there is none
    return symmetric & xp.all(xp.isfinite(xp.linalg.cholesky(value)), axis=(-2, -1))


def _positive_definite(constraint, value, xp):
    return _is_positive_definite(value, xp)


def _corr_matrix(constraint, value, xp):
    tolerance = max(1e-6, 20 * float(jnp.finfo(value.dtype).eps) * value.shape[-1])
    diagonal = xp.diagonal(value, axis1=-2, axis2=-1)
    return _is_positive_definite(value, xp) & xp.all(abs(diagonal - 1) < tolerance, axis=-1)


def _positive_ordered(constraint, value, xp):
    return xp.all(value[..., 1:] > value[..., :-1], axis=-1) & xp.all(value > 0, axis=-1)


def _nothing(constraint, value, xp):
    return None


CHECKS = {
    type(constraints.real): _nothing,
    type(constraints.complex): _nothing,
    type(constraints.dependent): _nothing,
    constraints.independent: _independent,
    constraints.integer_interval: _integers_between,
    constraints.integer_greater_than: _integers_from,
    type(constraints.boolean): _boolean,
    constraints.multinomial: _multinomial,
    type(constraints.simplex): _simplex,
    type(constraints.positive_definite): _positive_definite,
    type(constraints.corr_matrix): _corr_matrix,
    type(constraints.positive_ordered_vector): _positive_ordered,
}

# NumPyro's own `feasible_like` halves infinite bounds and emits a broadcast where none is needed.
FEASIBLE = {
    constraints.interval: _middle,
    constraints.greater_than: lambda c: c.lower_bound + 1,
    constraints.less_than: lambda c: c.upper_bound - 1,
    constraints.integer_interval: lambda c: c.lower_bound,
    constraints.integer_greater_than: lambda c: c.lower_bound,
}
