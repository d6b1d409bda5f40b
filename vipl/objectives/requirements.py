"""What objectives require of a guide."""

from __future__ import annotations

from vipl._core.errors import AddressError
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
