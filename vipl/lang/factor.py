"""`factor` and `deterministic`: a term of the log density, and a value worth recording."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.compat import staging_depth
from vipl._core.errors import ProgramError
from vipl._core.source import user_source
from vipl._core.statement import ScoredStatement, Statement, bind
from vipl.lang.expansion import expand_shape
from vipl.lang.observation import as_array


@dataclasses.dataclass(frozen=True, eq=False)
class FactorStatement(ScoredStatement):
    """A term of the log density; the operand is the log weight."""

    noun = "factor"


@dataclasses.dataclass(frozen=True, eq=False)
class DeterministicStatement(Statement):
    """A recorded value; the operand is the value."""

    noun = "deterministic"


def _context(address, function):
    source, here = user_source(), ambient.current()
    if here is None or not isinstance(address, str) or not address:
        raise ProgramError(
            f"vipl.{function}({address!r}, …) needs a non-empty address and belongs inside a program.",
            where=source,
            fix="decorate the function with @vipl.program and run it with vipl.simulate(program, key)",
        )
    return source, here, here.scope + address, staging_depth() - here.depth


def factor(address: str, log_weight) -> None:
    """Add a log weight to the log density of the program.

    Args:
        address: its name.
        log_weight: nats, of any shape; summed. Inside plates it is expanded and scaled as a site would be.

    Raises:
        ProgramError: outside of a program.
        ShapeError: it does not fit the open plates.

    Example:
        >>> import vipl
        >>> @vipl.program
        ... def model(x):
        ...     vipl.factor("penalty", -(x**2))
        >>> float(vipl.log_density(model(3.0), {}))
        -9.0
    """
    source, here, full, depth = _context(address, "factor")
    log_weight = as_array(log_weight, full, f"factor {full!r}, {source}")
    if not jnp.issubdtype(log_weight.dtype, jnp.floating):
        log_weight = jnp.asarray(log_weight, jnp.result_type(float))
    shape = expand_shape(log_weight.shape, here.plates, full, source)
    log_weight = jnp.broadcast_to(log_weight, shape) if shape != log_weight.shape else log_weight
    bind([log_weight], FactorStatement(full, source, depth, shape, log_weight.dtype, plates=here.plates))


def deterministic(address: str, value):
    """Record a value in the trace under an address.

    Args:
        address: its name.
        value: any array.

    Returns:
        The value, as an array.

    Raises:
        ProgramError: outside of a program.

    Example:
        >>> import jax, vipl
        >>> @vipl.program
        ... def model(x):
        ...     vipl.deterministic("double", 2 * x)
        >>> float(vipl.simulate(model(3.0), jax.random.key(0))["double"])
        6.0
    """
    source, _, full, depth = _context(address, "deterministic")
    value = as_array(value, full, f"deterministic {full!r}, {source}")
    return bind([value], DeterministicStatement(full, source, depth, tuple(value.shape), value.dtype))
