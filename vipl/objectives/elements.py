"""Elements of a plate that holds all sites of a model and its guide: each has a log density of its own."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.errors import AddressError, ProgramError, ShapeError, did_you_mean
from vipl._core.interpreter import Located
from vipl._core.source import user_source
from vipl.lang.factor import FactorStatement
from vipl.lang.plate import IndicesStatement
from vipl.lang.program import Program
from vipl.lang.site import SampleStatement
from vipl.tracing.survey import Survey, refuse_loops, survey


@dataclasses.dataclass(frozen=True)
class Elements:
    """The elements of a plate, or of a subsample of it.

    Attributes:
        dim: the batch dimension of the plate, negative.
        length: how many elements are looked at.
        scale: how many of the plate each of them stands for.
    """

    dim: int
    length: int
    scale: float

    def log_density(self, terms):
        """Return the log density of each element, `(length,)`, from the scaled terms of sites and factors."""
        total = jnp.zeros(self.length)
        for term in terms:
            total = total + jnp.sum(jnp.moveaxis(term, self.dim, -1), tuple(range(term.ndim - 1)))
        return total / self.scale


def elements_of(model: Program, guide: Program, plate: str, name: str) -> Elements:
    """Return the elements of a plate.

    A site does not say which plates it is in. A subsampled plate is known by the factor that it gives to the terms
    inside, and the dimension of any plate by its length, the same in all of them.

    Args:
        model: a Program.
        guide: a Program.
        plate: the plate's name.
        name: the objective's, for errors.

    Raises:
        AddressError: a site or factor is outside of the plate; or there is no such plate, or another subsampled one.
        ShapeError: the plate's size differs, or more than one dimension could be the plate's.
        ProgramError: a density inside is an estimate; exclusive branches share an address.
    """
    surveys = [survey(model), survey(guide)]
    subsample = _subsample(surveys, plate, name)
    terms = [term for surveyed in surveys for term in _terms(surveyed, name)]
    scale = subsample[0] / subsample[1] if subsample and subsample[1] else 1.0
    candidates: set[tuple[int, int]] | None = None
    for term in terms:
        own = _dimensions(term) if term.statement.scale == scale else set()
        if subsample is not None:
            own = {(dim, length) for dim, length in own if length == subsample[1]}
        candidates = own if candidates is None else candidates & own
        if not candidates:
            raise AddressError(
                f"{term.statement.noun} {term.statement.address!r} is not in plate {plate!r}, whose elements are to "
                "have weights of their own.",
                where=term.statement,
                fix=f"with vipl.plate({plate!r}, …) around it, vipl.param for what is learned of all elements; "
                f"or {name}(…) without plate=, which weighs all elements together",
            )
    found = sorted(candidates or ())
    if len(found) != 1:
        raise ShapeError(
            f"which batch dimension is that of plate {plate!r} cannot be told: dim "
            f"{' or '.join(str(dim) for dim, _ in found)} of all sites.",
            where=f"objectives.{name}, {user_source()}",
            fix=".to_event(1) for the dimensions that belong to one element",
        )
    return Elements(*found[0], scale)


def _subsample(surveys, plate: str, name: str) -> tuple[int, int] | None:
    """Return size and length of the plate if it is subsampled."""
    found: dict[tuple, IndicesStatement] = {}
    for located in (s for surveyed in surveys for s in surveyed.of_kind(IndicesStatement)):
        statement = located.statement
        if statement.address != plate or located.axes or statement.lanes:
            raise AddressError(
                f"plate {statement.address!r} is subsampled, and weights of their own are asked for the elements of "
                f"plate {plate!r}"
                + (", once for all lanes." if statement.address == plate else ".")
                + did_you_mean(plate, [statement.address]),
                where=statement,
                fix=f"one subsampled plate around all sites: {name}(…, plate={statement.address!r})",
            )
        found[statement.size, *statement.shape] = statement
    if len(found) > 1:
        first, second = list(found.values())[:2]
        raise ShapeError(
            f"plate {plate!r} has {second.shape[0]} of {second.size} elements here, and {first.shape[0]} of "
            f"{first.size} at {first.source}.",
            where=second,
            fix="the same size and subsample_size in model and guide",
        )
    return next(iter(found), None)


def _terms(surveyed: Survey, name: str) -> list[Located]:
    """List what has a log density, once each."""
    refuse_loops(surveyed, f"the log density, which {name} weighs,")
    kinds = (SampleStatement, FactorStatement)
    terms: dict[str, Located] = {}
    for located in (s for s in surveyed.staged.statements if isinstance(s.statement, kinds)):
        statement = located.statement
        if statement.address in surveyed.interventions:
            continue
        if statement.parts or statement.address in terms:
            reason = "belongs to a program whose density is an estimate" if statement.parts else "is in two branches"
            raise ProgramError(
                f"{statement.noun} {statement.address!r} {reason}: it cannot be told element by element.",
                where=statement,
                fix=f"{name}(…) without plate=; or plain sites, with addresses of their own",
            )
        terms[statement.address] = located
    return list(terms.values())


def _dimensions(located: Located) -> set[tuple[int, int]]:
    """Return the batch dimensions of a site or factor, from the right, with their lengths."""
    statement = located.statement
    batch_shape = statement.shape[: len(statement.shape) - getattr(statement, "event_dim", 0)]
    return {(i - len(batch_shape), length) for i, length in enumerate(batch_shape)}
