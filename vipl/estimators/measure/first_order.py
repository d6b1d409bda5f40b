"""Weights that are zero and have a given first derivative, and refuse a second one."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from vipl._core.errors import EstimatorError


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def ghost(parameter, coefficient, name):
    """Return zeros whose derivative in `parameter` is `coefficient`, once.

    Args:
        parameter: what is differentiated in.
        coefficient: the derivative, of the shape of `parameter`.
        name: the estimator's, for the error.

    Raises:
        EstimatorError: a second derivative is taken; it would be wrong.
    """
    # Zero, computed from both: under vmap the value must be mapped wherever its derivative is.
    unknown = (parameter != parameter) & (coefficient != coefficient)
    return 0 * unknown.astype(jnp.result_type(parameter))


@ghost.defjvp
def _ghost_jvp(name, primals, tangents):
    parameter, coefficient = primals
    return ghost(parameter, coefficient, name), _once(coefficient, parameter, name) * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _once(coefficient, parameter, name):
    return jnp.broadcast_to(coefficient, jnp.broadcast_shapes(jnp.shape(parameter), jnp.shape(coefficient)))


@_once.defjvp
def _once_jvp(name, primals, tangents):
    raise EstimatorError(
        f"a second derivative is taken through {name}, which is right to first order only.",
        where="the expectation that is differentiated twice",
        fix="Enumerate() or ScoreFunction() for that site; they are right at every order",
    )


@jax.custom_jvp
def without_derivative(value):
    """Return the value, and refuse a derivative: an estimator has none for this parameter."""
    return value


@without_derivative.defjvp
def _without_derivative_jvp(primals, tangents):
    raise EstimatorError(
        "MeasureValued has no decomposition for the parameter that is differentiated "
        "(the concentration of Gamma, say).",
        where="the expectation that is differentiated",
        fix="Reparam() or ScoreFunction() for that site",
    )
