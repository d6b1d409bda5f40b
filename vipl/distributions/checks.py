"""Whether values satisfy a constraint, and a value that does, in NumPy or in JAX.

    satisfies(constraints.positive, jnp.array([1.0, -1.0]))    # [True, False]
    satisfies(constraints.real_vector, value)                  # None: nothing to check
    feasible(constraints.simplex, value)                       # (1/K, ..., 1/K)

NumPyro's constraints know both, but check less than they should for some sets (a multinomial count may be
fractional), more strictly than float32 draws obey for others (the unit simplex), or at the cost of an
eigendecomposition. The table `CHECKS` holds what vipl checks differently; all else is NumPyro's.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import constraints


def satisfies(constraint, value, xp=jnp):
    """Return which events of `value` satisfy `constraint`.

    Args:
        constraint: a NumPyro constraint.
        value: array of shape `(..., *event)`.
        xp: `jax.numpy`, or `numpy` to compute nothing with XLA; then the constraint's bounds must be concrete.

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
    """Return whether the constraint is all of the reals, elementwise."""
    while isinstance(constraint, _class(constraints.independent)):
        constraint = constraint.base_constraint
    return isinstance(constraint, (type(constraints.real), type(constraints.complex)))


def feasible(constraint, like):
    """Return a value inside `constraint`, broadcastable against `like` and constant for derivatives."""
    constraint = jax.tree.map(jax.lax.stop_gradient, constraint)
    while isinstance(constraint, _class(constraints.independent)):
        constraint = constraint.base_constraint
    if isinstance(constraint, _class(constraints.interval)) and _has_infinite_bound(constraint):
        low, high = constraint.lower_bound, constraint.upper_bound
        inner = jnp.where(jnp.isfinite(low), low + 1.0, jnp.where(jnp.isfinite(high), high - 1.0, 0.0))
        return jnp.where(jnp.isfinite(low) & jnp.isfinite(high), (low + high) / 2, inner)
    if hasattr(constraint, "lower_bound") and hasattr(constraint, "upper_bound") and constraint.is_discrete:
        return constraint.lower_bound
    if isinstance(constraint, _class(constraints.interval)):
        return (constraint.lower_bound + constraint.upper_bound) / 2
    if isinstance(constraint, _class(constraints.greater_than)):
        return constraint.lower_bound + 1
    if isinstance(constraint, _class(constraints.less_than)):
        return constraint.upper_bound - 1
    if isinstance(constraint, _class(constraints.integer_greater_than)):
        return constraint.lower_bound
    return constraint.feasible_like(like)


def _class(constraint):
    return constraint if isinstance(constraint, type) else type(constraint)


def _has_infinite_bound(constraint) -> bool:
    bounds = (constraint.lower_bound, constraint.upper_bound)
    if any(isinstance(bound, jax.core.Tracer) for bound in bounds):
        return False
    return not all(np.all(np.isfinite(np.asarray(bound))) for bound in bounds)


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
    _class(constraints.independent): _independent,
    _class(constraints.integer_interval): _integers_between,
    _class(constraints.integer_greater_than): _integers_from,
    type(constraints.boolean): _boolean,
    _class(constraints.multinomial): _multinomial,
    type(constraints.simplex): _simplex,
    type(constraints.positive_definite): _positive_definite,
    type(constraints.corr_matrix): _corr_matrix,
    type(constraints.positive_ordered_vector): _positive_ordered,
}
