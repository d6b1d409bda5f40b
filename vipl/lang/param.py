"""`param`: a learnable value, with the unconstrained coordinates in which it is learned."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import biject_to, constraints

from vipl._core import ambient
from vipl._core.compat import staging_depth
from vipl._core.errors import ParameterError, ProgramError
from vipl._core.source import user_source
from vipl._core.statement import SharedStatement, bind
from vipl.distributions.support import describe_constraint, first_violation
from vipl.lang.observation import known_value


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
            f"vipl.param({address!r}, …) needs a non-empty address and belongs inside a program.",
            where=source,
            fix='vipl.param("loc", 0.0) in a function decorated with @vipl.program',
        )
    full, where = here.scope + address, f"param {here.scope + address!r}, {source}"
    constraint = constraints.real if constraint is None else constraint
    _check_constraint(constraint, address, where)
    operands = [] if callable(init) else [_as_array(init, full, where)]
    outline = _outline(init, where) if callable(init) else operands[0]
    if not jnp.issubdtype(outline.dtype, jnp.floating):
        raise ParameterError(
            f"param {full!r} starts as {outline.dtype}, and only floating-point values can be learned.",
            where=where,
            fix=f"vipl.param({address!r}, {init!r}.0)" if isinstance(init, int) else "init.astype(float)",
        )
    known = known_value(init, operands[0]) if operands else None
    if known is not None:
        check_inside(known, constraint, full, where)
    depth = staging_depth() - here.depth
    statement = ParamStatement(
        full,
        source,
        depth,
        tuple(outline.shape),
        np.dtype(outline.dtype),
        init=init if callable(init) else None,
        constraint=constraint,
    )
    return bind(operands, statement)


def _as_array(init, address, where):
    try:
        return jnp.asarray(init)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"param {address!r} starts as {init!r}, which is not an array of numbers.",
            where=where,
            fix=f"vipl.param({address!r}, 0.0), or an array of floats",
        ) from error


def _check_constraint(constraint, address, where):
    try:
        unconstraining_bijection(constraint)
    except (NotImplementedError, TypeError) as error:
        raise ParameterError(
            f"param {address!r} has constraint {constraint!r}, in which nothing can be learned.",
            where=where,
            fix="a constraint of dist.constraints that has a bijection, such as dist.constraints.positive",
        ) from error


def check_inside(value, constraint, address, where):
    """Refuse a concrete initial value outside of its constraint."""
    index = first_violation(constraint, value)
    if index is not None:
        raise ParameterError(
            f"param {address!r} starts at {np.asarray(value)[index]}{f' (index {index})' if index else ''}, "
            "outside of its constraint: "
            f"{describe_constraint(constraint)}.",
            where=where,
            fix="choose an initial value inside of the constraint",
        )


def _outline(init, where):
    try:
        outline = jax.eval_shape(lambda: init(jax.random.key(0)))
    except TypeError as error:
        raise ParameterError(
            "init is called with one key, and that failed: " + str(error),
            where=where,
            fix="init=lambda key: 0.1 * jax.random.normal(key, (3,))",
        ) from error
    if not hasattr(outline, "dtype"):
        raise ParameterError(
            "init(key) must return one array.",
            where=where,
            fix="init=lambda key: 0.1 * jax.random.normal(key, (3,))",
        )
    return outline
