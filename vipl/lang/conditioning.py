"""`condition` and `do`: what is observed and what is set, by address."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp

from vipl._core.errors import AddressError, ParameterError, ProgramError, did_you_mean
from vipl._core.source import user_source
from vipl.distributions.support import kind_of
from vipl.lang.known import is_known, known_leaves, known_support
from vipl.lang.observation import as_array, check_finite, check_shape, check_within, known_value
from vipl.lang.param import ParamStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement


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
    program, choices = _checked(program, choices, "condition", (SampleStatement, IndicesStatement))
    return program.replace(observations=program.observations | choices)


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
    program, choices = _checked(program, choices, "do", (SampleStatement,))
    return program.replace(interventions=program.interventions | choices)


def _checked(program, choices, function, kinds):
    source = user_source()
    _check_program(program, function, source)
    choices = getattr(choices, "choices", choices)
    if not isinstance(choices, Mapping):
        raise AddressError(
            f"vipl.{function} takes values by address, and got {type(choices).__name__}.",
            where=source,
            fix='a dict {"address": value}, or a Trace',
        )
    staged = program.stage()
    statements = staged.statements
    known = {s.statement.address: s for s in statements if isinstance(s.statement, kinds)}
    checked = {}
    for address, value in choices.items():
        if address not in known:
            raise unknown_address(address, known, f"vipl.{function} of {program.name}, {source}", statements)
        given, value = value, as_array(value, address, f"vipl.{function}, {source}")
        where = f"{known[address].statement}; value given at {source}"
        check_shape(value, known[address].full_shape, address, where)
        given = known_value(given, value)
        if isinstance(known[address].statement, SampleStatement) and given is not None:
            _check_value(given, known[address], staged, where)
        checked[address] = value
    return program, checked


def _check_value(value, located, staged, where):
    """Refuse a value that is NaN or outside of the site's support, as far as that is known."""
    statement = located.statement
    check_finite(value, statement.address, where)
    support = known_support(located, staged)
    if support is not None and is_known(support):
        kind = kind_of(statement.distribution(known_leaves(located, staged)))
        check_within(value, support, kind, statement.address, where)


def _check_program(program, function, source):
    if not isinstance(program, Program):
        name = getattr(program, "__name__", type(program).__name__)
        raise ProgramError(
            f"vipl.{function} needs a program and got {name}.",
            where=source,
            fix=f"call the program function with its arguments first: vipl.{function}({name}(…), …)",
        )


def unknown_address(address, known, where, statements=()):
    """Return the error for an address that is not there, with the closest one that is."""
    other = next((s.statement for s in statements if s.statement.address == address), None)
    what = (
        f"{address!r} is a {other.noun} and cannot be set."
        if other is not None
        else f"there is no site {address!r}." + did_you_mean(str(address), known)
    )
    fix = "condition or do the random sites that it is computed from" if other is not None else "correct the address"
    return AddressError(what, where=where, fix=fix)


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
    known = {s.statement.address: s.statement for s in program.stage().statements
             if isinstance(s.statement, ParamStatement)}
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
            f"param {statement.address!r} got a value of type {value.dtype}; only floating-point values can be learned.",
            where=where,
            fix="value.astype(float)",
        )
    return value
