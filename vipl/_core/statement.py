"""The one primitive that programs are made of: a statement, which an interpreter gives its meaning.

`sample`, `factor`, `deterministic`, `param` and a subsampling `plate` each bind `statement_p` once. The
arrays of the statement (the leaves of a distribution, an observation, …) are operands; the rest is a
static `Statement`. A staged program is then an ordinary jaxpr with statements among its equations.

`jax.vmap` over a statement batches it: the statement keeps the list of its `lanes`, and `over_lanes` maps
a function of one lane over all of them. A site that draws at random and has nothing that differs between the
lanes would share one draw among them, so the batching rule refuses it.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.interpreters import ad, batching, mlir

from vipl._core import ambient
from vipl._core.compat import Primitive, shaped, staging_depth, varying_axes
from vipl._core.errors import ProgramError, RandomnessError
from vipl._core.source import Source


@dataclasses.dataclass(frozen=True)
class Lane:
    """One level of `jax.vmap` over a statement: its size, and which operands it maps (at axis 0)."""

    size: int
    mapped: tuple[bool, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """What a statement is to a program with an estimated density.

    Attributes:
        of: stands for that program.
        name: its address in there.
        hidden: whether that program hides it.
        drawn: whether it is ever drawn; in a copy that only weighs, values are given.
        estimates: whether it is drawn for the density of given values too, not only for a draw of that program.
    """

    of: object
    name: str
    hidden: bool
    drawn: bool = True
    estimates: bool = True


@dataclasses.dataclass(frozen=True, eq=False)
class Statement:
    """The static part of a statement. Each kind of statement is a subclass.

    Attributes:
        address: its full address, scopes included.
        source: the user's line.
        depth: how many functions were being staged inside the program when it was bound.
        shape: shape of its value in one lane.
        dtype: dtype of its value.
        lanes: the levels of `jax.vmap` around it, innermost first.
        parts: what it is to the programs with an estimated density around it, outermost last.
    """

    address: str
    source: Source
    depth: int
    shape: tuple[int, ...]
    dtype: Any
    lanes: tuple[Lane, ...] = ()
    parts: tuple[Part, ...] = ()

    noun = "statement"
    draws = False
    counts = True  # in every lane of a vmap, also where all lanes are the same

    def __str__(self):
        return f"{self.noun} {self.address!r}, {self.source}"

    @property
    def hidden(self) -> bool:
        """Whether it only serves to estimate a density, and is no statement of the program around."""
        return any(part.hidden for part in self.parts)

    @property
    def lane_shape(self) -> tuple[int, ...]:
        """Sizes of the lanes, outermost first."""
        return tuple(lane.size for lane in reversed(self.lanes))

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Shape of the value, lanes included."""
        return self.lane_shape + self.shape


@dataclasses.dataclass(frozen=True, eq=False)
class ScoredStatement(Statement):
    """A statement with a term of the log density.

    Attributes:
        plates: those around it, outermost first.
    """

    plates: tuple[ambient.PlateFrame, ...] = ()

    @property
    def scale(self) -> float:
        """The factor of its log density, from subsampled plates."""
        return math.prod(frame.scale for frame in self.plates)


def over_lanes(fn, lanes, *, extra: int = 0):
    """Map `fn(*operands, *extras)` over lanes; the `extra` last arguments have every lane in front."""
    for lane in lanes:
        fn = jax.vmap(fn, in_axes=(*(0 if m else None for m in lane.mapped), *[0] * extra), axis_size=lane.size)
    return fn


statement_p = Primitive("vipl_statement")


def bind(operands, statement: Statement):
    """Put a statement into the program that is being staged; returns the statement's value."""
    return statement_p.bind(*map(jnp.asarray, operands), statement=statement)


def bind_again(operands, statement: Statement, **changes):
    """Bind a statement of one program into another that is being staged, with some fields changed."""
    depth = staging_depth() - ambient.current().depth
    return statement_p.bind(*operands, statement=dataclasses.replace(statement, depth=depth, **changes))


@statement_p.def_abstract_eval
def _abstract_eval(*operands, statement):
    varying = {axis for aval in operands for axis in varying_axes(aval)}
    around = ambient.current()
    if statement.draws and around is not None:
        varying.update(around.varying)
    return shaped(statement.full_shape, statement.dtype, tuple(sorted(varying)))


def _batch(axis_data, operands, dims, *, statement):
    mapped = tuple(dim is not None for dim in dims)
    if isinstance(statement, SharedStatement):
        if any(mapped):
            raise ProgramError(
                f"{statement.noun} {statement.address!r} differs between the lanes of a vmap.",
                where=statement,
                fix="a learnable value is one for the whole program: create it outside of the vmapped function",
            )
        return statement_p.bind(*operands, statement=statement), None
    if statement.draws and not any(mapped):
        raise RandomnessError(
            f"{statement.noun} {statement.address!r} is under jax.vmap, and nothing in it differs between the lanes: "
            "all lanes would share one draw.",
            where=statement,
            fix="vipl.vmap(fn)(…) instead of jax.vmap(fn)(…) draws independently in each lane; "
            f"so does `with vipl.plate(name, {axis_data.size}):`",
        )
    if not statement.counts and not any(mapped):
        return statement_p.bind(*operands, statement=statement), None
    operands = [x if dim is None else jnp.moveaxis(x, dim, 0) for x, dim in zip(operands, dims, strict=True)]
    lanes = (*statement.lanes, Lane(axis_data.size, mapped))
    return statement_p.bind(*operands, statement=dataclasses.replace(statement, lanes=lanes)), 0


class SharedStatement(Statement):
    """A statement whose value is one and the same in every lane."""


def _refuse_derivative(primals, tangents, *, statement):
    del primals, tangents
    raise ProgramError(
        f"a derivative is taken inside the program, through {statement.noun} {statement.address!r}.",
        where=statement,
        fix="differentiate vipl.log_density or an expectation of the program from outside, "
        "or move the statement out of the differentiated function",
    )


def _refuse_evaluation(*operands, statement):
    del operands
    raise ProgramError(
        f"{statement.noun} {statement.address!r} runs outside of a program.",
        where=statement,
        fix="decorate the function with @vipl.program and run it with vipl.simulate(program, key)",
    )


batching.fancy_primitive_batchers[statement_p] = _batch
ad.primitive_jvps[statement_p] = _refuse_derivative
statement_p.def_impl(_refuse_evaluation)
mlir.register_lowering(statement_p, lambda ctx, *operands, statement: _refuse_evaluation(statement=statement))
