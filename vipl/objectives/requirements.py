"""What objectives require of a guide, and of a model that they draw from."""

from __future__ import annotations

from vipl._core.errors import AddressError, ShapeError
from vipl.lang.factor import FactorStatement
from vipl.lang.program import Program
from vipl.tracing.simulate import check_program
from vipl.tracing.survey import survey
from vipl.tracing.trace import Trace


def refuse_observations(trace: Trace) -> None:
    """Refuse a draw from a guide that observes: its likelihood would be subtracted, and cancel the model's.

    Raises:
        AddressError: the guide observes.
    """
    for address in trace.observed:
        raise AddressError(
            f"the guide observes {address!r}: its trace is not a draw of the latent sites alone.",
            where=f"site {address!r}, {trace.place(address)}",
            fix="remove obs= from the guide; the model alone observes",
        )


def refuse_other_subsamples(model: Program, guide: Program) -> None:
    """Refuse a latent site of which model and guide would look at other data, or count those otherwise.

    Args:
        model: a Program.
        guide: a Program.

    Raises:
        ShapeError: the subsampled plates around a latent site differ.
    """
    check_program(guide, "simulate")
    check_program(model, "log_density")
    latents = survey(model).latents
    for address, (located, *_) in survey(guide).latents.items():
        if address not in latents:
            continue
        own, other = (_subsampled(s.statement.plates) for s in (latents[address][0], located))
        if own != other and latents[address][0].full_shape == located.full_shape:
            raise ShapeError(
                f"site {address!r} is in {_listed(other)} in the guide and in {_listed(own)} in the model: the data "
                "would be drawn, or counted, otherwise.",
                where=f"{located.statement}; {latents[address][0].statement.source}",
                fix="a plate of the same name, size and subsample_size in model and guide",
            )


def _subsampled(frames) -> list:
    """Return address, size and length of the plates that are subsampled."""
    return sorted((frame.address, frame.size, frame.length) for frame in frames if frame.length != frame.size)


def _listed(plates) -> str:
    listed = " and ".join(f"{length} of {size} elements of plate {name!r}" for name, size, length in plates)
    return listed or "no subsampled plate"


def refuse_evidence(program: Program, role: str, reason: str, fix: str) -> None:
    """Refuse a program with observations or factors.

    Args:
        program: a Program.
        role: "model" or "guide".
        reason: why it may have none.
        fix: what to write instead.

    Raises:
        AddressError: it has.
    """
    surveyed = survey(program)
    found = [s for sites in surveyed.observed.values() for s in sites] or surveyed.of_kind(FactorStatement)
    for located in found:
        raise AddressError(
            f"the {role} has evidence at {located.statement.address!r}: {reason}.", where=located.statement, fix=fix
        )
