"""What objectives require of a guide, and of a model that they draw from."""

from __future__ import annotations

from vipl._core.errors import AddressError
from vipl.lang.factor import FactorStatement
from vipl.lang.program import Program
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
