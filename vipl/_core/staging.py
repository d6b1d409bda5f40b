"""Staging: a Python function of statements becomes a jaxpr with statements.

>>> import jax.numpy as jnp
>>> from vipl._core.staging import stage
>>> stage(lambda: jnp.ones(3).sum(), kind="program").out_tree.num_leaves
1
"""

from __future__ import annotations

import contextvars
import dataclasses
import linecache
import traceback
from typing import Any

import jax

from vipl._core import ambient
from vipl._core.compat import open_jaxpr, staging_depth
from vipl._core.errors import ProgramError
from vipl._core.interpreter import Located, locate
from vipl._core.source import Source, is_user_file
from vipl._core.static import Skeleton, partition

_drawn: contextvars.ContextVar[list | None] = contextvars.ContextVar("values drawn while staging", default=None)

_NOT_CONCRETE = (
    jax.errors.TracerBoolConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.TracerArrayConversionError,
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
)
_STAYS_IN_JAX = (
    "jax.lax.cond(z > 0, on_true, on_false) or jnp.where(z > 0, a, b) in place of `if z > 0`; "
    "jax.lax.fori_loop or scan in place of a Python loop; sizes and flags as Python ints and bools"
)
_IN_JAX_NUMPY = "jnp.asarray(data)[index] in place of data[index] for a NumPy array; functions of jnp in place of np"


@dataclasses.dataclass(frozen=True)
class Staged:
    """A staged function: an open `jaxpr` of no inputs, its `consts`, its result and its statements."""

    jaxpr: Any
    consts: list
    out: Skeleton
    statements: list[Located]

    @property
    def out_tree(self):
        """The structure of the result."""
        return self.out.treedef


def stage(fn, *, kind: str, varying: tuple[str, ...] = (), relaxed: tuple[str, ...] = ()) -> Staged:
    """Stage `fn()` inside the present surroundings, or as a fresh program or expectation.

    Args:
        fn: function of no arguments; its result is any pytree.
        kind: `"program"`, `"expectation"`, or `"nested"` for a program inside the one that is being staged.
        varying: mesh axes along which what is drawn differs.
        relaxed: globs of addresses whose discrete sites have floating-point values; those around are kept.

    Raises:
        ProgramError: Python needed a concrete value where there is none yet.
    """
    staged = _stage(fn, kind, varying, relaxed, token=None)
    if _may_have_dissolved(staged):  # look again with every trace cache silenced, so that depths are true
        staged = _stage(fn, kind, varying, relaxed, token=object())
        _refuse_dissolved(staged)
    return staged


def _stage(fn, kind, varying, relaxed, token) -> Staged:
    out = []

    def flat():
        arrays, skeleton = partition(fn())
        out.append(skeleton)
        return arrays

    around = ambient.current()
    varying = varying or (around.varying if around is not None else ())
    relaxed = (*(around.relaxed if around is not None else ()), *relaxed)
    here = ambient.Ambient(kind, staging_depth() + 1, token=token, varying=varying, relaxed=relaxed)
    if kind == "nested":
        assert around is not None, "a nested program is staged inside another"
        here = dataclasses.replace(around, depth=here.depth, token=token or around.token)
    drawn = _drawn.set([] if kind != "nested" else _drawn.get())
    try:
        with ambient.surround(here):
            closed = jax.make_jaxpr(flat)()
    except _NOT_CONCRETE as error:
        raise _explain(error) from error
    finally:
        _drawn.reset(drawn)
    jaxpr, consts = open_jaxpr(closed)
    return Staged(jaxpr, consts, out[-1], locate(jaxpr))


def note_draw(address: str, value) -> None:
    """Remember which tracer a site returned, for the error that a Python `if` on it earns."""
    drawn = _drawn.get()
    if drawn is not None:
        drawn.append((address, value))


def _explain(error) -> ProgramError:
    frames = [f for f in traceback.walk_tb(error.__traceback__) if is_user_file(f[0].f_code.co_filename)]
    if not frames:
        return ProgramError(f"Python needs a concrete value here: {error}", fix=_STAYS_IN_JAX)
    frame, line = frames[-1]
    code = linecache.getline(frame.f_code.co_filename, line)
    named = [a for a, v in _drawn.get() or [] if any(v is x and name in code for name, x in frame.f_locals.items())]
    addresses = ", ".join(repr(a) for a in named or [a for a, _ in _drawn.get() or []])
    by_numpy = isinstance(error, jax.errors.TracerArrayConversionError)
    return ProgramError(
        f"{'NumPy' if by_numpy else 'Python'} needs to know a value that is only known when the program runs"
        + (f" (sampled here: {addresses})." if addresses else "."),
        where=f"{Source(frame.f_code.co_filename, line, frame.f_code.co_name)}: {code.strip()}",
        fix=_IN_JAX_NUMPY if by_numpy else _STAYS_IN_JAX,
    )


def _may_have_dissolved(staged: Staged) -> bool:
    """Return whether a `jax.vmap` may have turned a branch with statements into a select."""
    return any(located.statement.lanes and located.statement.depth > 0 for located in staged.statements)


def _refuse_dissolved(staged: Staged) -> None:
    for located in staged.statements:
        statement = located.statement
        if (len(located.path) - 1) // 2 < statement.depth:
            raise ProgramError(
                f"{statement.noun} {statement.address!r} is in a branch whose predicate differs between the lanes "
                "of a jax.vmap, which runs both branches in every lane.",
                where=statement,
                fix="vipl.vmap(fn)(…) in place of jax.vmap(fn)(…)",
            )
