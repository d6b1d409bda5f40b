"""`param`: a learnable value, with the unconstrained coordinates in which it is learned."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import biject_to, constraints

from vipl._core import ambient
from vipl._core.compat import is_tracer, staging_depth
from vipl._core.errors import ParameterError, ProgramError
from vipl._core.source import user_source
from vipl._core.statement import SharedStatement, bind
from vipl.distributions.support import describe_constraint, first_violation


@dataclasses.dataclass(frozen=True, eq=False)
class ParamStatement(SharedStatement):
    """A learnable value. The operand is its initial value, absent if `init` makes it from a key.

    Attributes:
        init: function of a key, or None.
        constraint: where the value lies.
    """

    init: object = None
    constraint: object = None

    noun = "param"

    def constrain(self, unconstrained):
        """Return the value that an unconstrained array stands for."""
        value = unconstraining_bijection(self.constraint)(unconstrained)
        return jnp.asarray(value, self.dtype)

    def unconstrain(self, value):
        """Return the unconstrained array of a value."""
        return unconstraining_bijection(self.constraint).inv(value)


def unconstraining_bijection(constraint):
    """Return the bijection from unconstrained arrays: softplus for positive values, else NumPyro's."""
    positive = constraint is constraints.positive
    return biject_to(constraints.softplus_positive if positive else constraint)


def param(address: str, init, *, constraint=None):
    """Declare a learnable value.

    Its value is what `vipl.with_params` put in, else `init`. Training sees it unconstrained.

    Args:
        address: its name; unique among the parameters that are trained together.
        init: initial value: a floating-point array, or a function of a key that returns one.
        constraint: one of `dist.constraints`; default: all real numbers.

    Returns:
        The value, an array of the shape of `init`.

    Raises:
        ProgramError: outside of a program.
        ParameterError: `init` is an integer, or lies outside of its constraint.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def guide():
        ...     loc = vipl.param("loc", 0.0)
        ...     scale = vipl.param("scale", 1.0, constraint=dist.constraints.positive)
        ...     vipl.sample("x", dist.Normal(loc, scale))
        >>> sorted(vipl.init_params(jax.random.key(0), guide()))
        ['loc', 'scale']
    """
    source, here = user_source(), ambient.current()
    if here is None or not isinstance(address, str) or not address:
        raise ProgramError(
            f"vipl.param({address!r}, …) needs a non-empty address and belongs inside a program.", where=source
        )
    full, where = here.scope + address, f"param {here.scope + address!r}, {source}"
    constraint = constraints.real if constraint is None else constraint
    operands = [] if callable(init) else [init if is_tracer(init) else jnp.asarray(init)]
    outline = _outline(init, where) if callable(init) else operands[0]
    if not jnp.issubdtype(outline.dtype, jnp.floating):
        raise ParameterError(
            f"param {full!r} starts as {outline.dtype}, and only floating-point values can be learned.",
            where=where,
            fix=f"vipl.param({address!r}, {init!r}.0)" if isinstance(init, int) else "init.astype(float)",
        )
    if operands and not is_tracer(operands[0]):
        check_inside(operands[0], constraint, full, where)
    depth = staging_depth() - here.depth
    statement = ParamStatement(
        full, source, depth, tuple(outline.shape), np.dtype(outline.dtype),
        init=init if callable(init) else None, constraint=constraint,
    )
    return bind(operands, statement)


def check_inside(value, constraint, address, where):
    """Refuse a concrete initial value outside of its constraint."""
    index = first_violation(constraint, value)
    if index is not None:
        raise ParameterError(
            f"param {address!r} starts at {np.asarray(value)[index]} (index {index}), outside of its constraint: "
            f"{describe_constraint(constraint)}.",
            where=where,
            fix="choose an initial value inside of the constraint",
        )


def _outline(init, where):
    try:
        outline = jax.eval_shape(init, jax.random.key(0))
    except TypeError as error:
        raise ParameterError("init is called with one key, and that failed: " + str(error), where=where,
                             fix="init=lambda key: 0.1 * jax.random.normal(key, (3,))") from error
    if not hasattr(outline, "dtype"):
        raise ParameterError("init(key) must return one array.", where=where)
    return outline
