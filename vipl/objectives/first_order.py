"""Derivatives that are set by hand, right to first order only: a second one is refused, never wrong."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from vipl._core.errors import EstimatorError


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def scaled(value, factor, name: str):
    """Return the value; its derivative is multiplied by a factor, once.

    Args:
        value: an array.
        factor: a scalar.
        name: the gradient's, for the error.

    Raises:
        EstimatorError: a second derivative is taken through it; it would be wrong.
    """
    # The same either way, and XLA sees it: under vmap the value must be mapped wherever its derivative is.
    return jnp.where(factor > 0, value, value)


@scaled.defjvp
def _scaled_jvp(name, primals, tangents):
    value, factor = primals
    return scaled(value, factor, name), _once(factor, value, name) * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def ghost(parameter, coefficient, name: str):
    """Return zeros whose derivative in `parameter` is `coefficient`, once.

    Args:
        parameter: an array.
        coefficient: of the same shape.
        name: the gradient's, for the error.

    Raises:
        EstimatorError: a second derivative is taken; it would be wrong.
    """
    zeros = jnp.zeros_like(parameter)
    return jnp.where(parameter > coefficient, zeros, zeros)  # mapped wherever its derivative is, as above


@ghost.defjvp
def _ghost_jvp(name, primals, tangents):
    parameter, coefficient = primals
    return ghost(parameter, coefficient, name), _once(coefficient, parameter, name) * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _once(coefficient, parameter, name):
    del parameter, name
    return coefficient


@_once.defjvp
def _once_jvp(name, primals, tangents):
    raise EstimatorError(
        f'a second derivative is taken through gradient="{name}", which is right to first order only.',
        where="the objective that is differentiated twice",
        fix='gradient="plain", which is right at every order',
    )
