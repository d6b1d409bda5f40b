"""Fitting distributions and weights to the plates around them."""

from __future__ import annotations

from vipl._core.errors import ShapeError


def expand_shape(batch_shape, frames, address, source) -> tuple[int, ...]:
    """Return a batch shape expanded to the open plates.

    Raises:
        ShapeError: a batch dimension disagrees with the plate that claims it.
    """
    rank = max([len(batch_shape), *(-frame.dim for frame in frames)])
    shape = [1] * (rank - len(batch_shape)) + list(batch_shape)
    for frame in frames:
        found = shape[frame.dim]
        if found not in (1, frame.length):
            raise ShapeError(
                f"site {address!r} has batch shape {tuple(batch_shape)}, and plate {frame.name!r} of size "
                f"{frame.length} claims dimension {frame.dim}, where it has {found}.",
                where=f"site {address!r}, {source}",
                fix=_plate_advice(frame, found),
            )
        shape[frame.dim] = frame.length
    return tuple(shape)


def _plate_advice(frame, found) -> str:
    if frame.length != frame.size and found == frame.size:
        return f"index by the plate's indices: `with vipl.plate({frame.name!r}, …) as i:` and array[i]"
    return (
        f"vipl.plate({frame.name!r}, {found}) if the plate is that dimension; "
        ".to_event(1) if the dimension belongs to one vector-valued event"
    )


def within_plates(distribution, frames, address, source):
    """Return a distribution expanded to the open plates."""
    if not frames:
        return distribution
    batch_shape = tuple(distribution.batch_shape)
    expanded = expand_shape(batch_shape, frames, address, source)
    return distribution if expanded == batch_shape else distribution.expand(expanded)
