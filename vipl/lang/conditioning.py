"""`condition` and `do`: what is observed and what is set, by address."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp

from vipl._core.errors import ParameterError, ProgramError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.param import ParamStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.lang.values import checked_values


def condition(program: Program, choices: Mapping) -> Program:
    """Observe addresses: the same as `program | choices`.

    Args:
        program: a Program.
        choices: `{address: value}` or a Trace. Values have the shape that the site has in a trace.

    Returns:
        A Program in which these sites are observed: they count in its log density and are not drawn.

    Raises:
        AddressError: the program has no such site.
        ShapeError: a value does not have the shape of its site.

    Example:
        >>> import vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("x", dist.Normal(0.0, 1.0))
        >>> float(vipl.log_density(model() | {"x": 0.0}, {}))
        -0.9189...
    """
    _check_program(program, "condition", user_source())
    return program | choices


def do(program: Program, choices: Mapping) -> Program:
    """Intervene: set sites to values, without their density.

    Args:
        program: a Program.
        choices: `{address: value}`.

    Returns:
        A Program in which these sites have these values, whatever they depended on; they are no sites any more.

    Raises:
        AddressError: the program has no such site.
        ShapeError: a value does not have the shape of its site.

    Example:
        >>> import vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     vipl.sample("x", dist.Normal(0.0, 1.0))
        >>> float(vipl.log_density(vipl.do(model(), {"x": 5.0}), {}))
        0.0
    """
    _check_program(program, "do", user_source())
    values = checked_values(program.stage(), program.name, choices, "do", (SampleStatement,))
    return program.replace(interventions=program.interventions | values)


def _check_program(program, function, source):
    if not isinstance(program, Program):
        name = getattr(program, "__name__", type(program).__name__)
        raise ProgramError(
            f"vipl.{function} needs a program and got {name}.",
            where=source,
            fix=f"call the program function with its arguments first: vipl.{function}({name}(…), …)",
        )


def with_params(program: Program, params: Mapping) -> Program:
    """Put values into the `vipl.param` statements of a program.

    Args:
        program: a Program.
        params: `{address: unconstrained array}`, as `vipl.init_params` returns it for this program.

    Returns:
        A Program with these values; its leaves include them, so `jax.grad` reaches them.

    Raises:
        ParameterError: an address is unknown, or a value has the wrong shape.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def guide():
        ...     vipl.sample("x", dist.Normal(vipl.param("loc", 0.0), 1.0))
        >>> float(vipl.log_density(vipl.with_params(guide(), {"loc": 2.0}), {"x": 2.0}))
        -0.9189...
    """
    source = user_source()
    _check_program(program, "with_params", source)
    known = {
        s.statement.address: s.statement for s in program.stage().statements if isinstance(s.statement, ParamStatement)
    }
    kept = {}
    for address, value in params.items():
        if address not in known:
            raise ParameterError(
                f"{program.name} has no param {address!r}." + did_you_mean(str(address), known),
                where=f"vipl.with_params, {source}",
                fix="pass only the params of this program: vipl.init_params(key, program) lists them",
            )
        kept[address] = check_param(known[address], value, source)
    return program.replace(params=(program.params or {}) | kept)


def check_param(statement: ParamStatement, value, source):
    """Return an unconstrained value of a param as an array, or say what is wrong with it."""
    if not hasattr(value, "dtype"):
        value = jnp.asarray(value)
    import jax

    outline = jax.eval_shape(statement.unconstrain, jax.ShapeDtypeStruct(statement.shape, statement.dtype))
    where = f"{statement}; value given at {source}"
    if tuple(value.shape) != tuple(outline.shape):
        raise ParameterError(
            f"param {statement.address!r} has unconstrained shape {tuple(outline.shape)}, "
            f"and the value has shape {tuple(value.shape)}.",
            where=where,
            fix="a fit serves the sizes it was made for; fit again, or make the new program with the old sizes",
        )
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise ParameterError(
            f"param {statement.address!r} got a value of type {value.dtype}; only floating-point ones can be learned.",
            where=where,
            fix="value.astype(float)",
        )
    return value
