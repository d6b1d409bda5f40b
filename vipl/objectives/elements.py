"""Elements of a plate that holds all sites of a model and its guide: each has a log density of its own."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from vipl._core.ambient import PlateFrame
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

    Args:
        model: a Program.
        guide: a Program.
        plate: the plate's name.
        name: the objective's, for errors.

    Raises:
        AddressError: a site or factor is outside of the plate; or there is no such plate, or another subsampled one.
        ShapeError: the plate's size, subsample or dimension differs.
        ProgramError: a density inside is an estimate; exclusive branches share an address.
    """
    surveys = [survey(model), survey(guide)]
    terms = [term for surveyed in surveys for term in _terms(surveyed, name)]
    frames = {frame.address: frame for term in terms for frame in term.statement.plates}
    if plate not in frames:
        raise AddressError(
            f"no site of {model.name} or {guide.name} is in a plate {plate!r}." + did_you_mean(plate, frames),
            where=f"objectives.{name}, {user_source()}",
            fix=f"the name of the plate that all sites are in; or with vipl.plate({plate!r}, …) around them",
        )
    _refuse_other_subsamples(surveys, plate, name)
    found: dict[PlateFrame, Located] = {}
    for term in terms:
        own = [frame for frame in term.statement.plates if frame.address == plate]
        if not own:
            raise AddressError(
                f"{term.statement.noun} {term.statement.address!r} is not in plate {plate!r}, whose elements are to "
                f"have weights of their own; it is in {_listed(term.statement.plates)}.",
                where=term.statement,
                fix=f"with vipl.plate({plate!r}, …) around it, vipl.param for what is learned of all elements; "
                f"or {name}(…) without plate=, which weighs all elements together",
            )
        found.setdefault(own[0], term)
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise ShapeError(
            f"plate {plate!r} is {_described(other)} here, and {_described(one)} at {first.statement.source}.",
            where=second.statement,
            fix="the same size, subsample_size and dim in model and guide",
        )
    (frame,) = found
    return Elements(frame.dim, frame.length, frame.scale)


def _listed(frames) -> str:
    return "no plate" if not frames else "plate " + " and ".join(repr(frame.address) for frame in frames)


def _described(frame: PlateFrame) -> str:
    return f"{frame.length} of {frame.size} elements in dim {frame.dim}"


def _refuse_other_subsamples(surveys, plate: str, name: str) -> None:
    """Refuse a subsampled plate of another name, or one that each lane draws for itself."""
    for located in (s for surveyed in surveys for s in surveyed.of_kind(IndicesStatement)):
        statement = located.statement
        if statement.address != plate or located.axes or statement.lanes:
            raise AddressError(
                f"plate {statement.address!r} is subsampled, and weights of their own are asked for the elements of "
                f"plate {plate!r}" + (", once for all lanes." if statement.address == plate else "."),
                where=statement,
                fix=f"one subsampled plate around all sites, of both programs: {name}(…, plate={plate!r})",
            )


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
