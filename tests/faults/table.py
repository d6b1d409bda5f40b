"""Every fault of the registry, in the order of the rows."""

from . import (  # noqa: F401  each module enters its faults
    addresses,
    batches,
    control_flow,
    data,
    estimation,
    files,
    judging,
    naming,
    outside,
    parameters,
    randomness,
    resuming,
    shapes,
    structure,
    supports,
    training,
)
from .registry import FAULTS, commit

__all__ = ["FAULTS", "commit"]


def in_order():
    """List the faults by row."""
    return sorted(FAULTS, key=lambda fault: (int("".join(filter(str.isdigit, fault.row))), fault.row))
