"""Names of dimensions and coordinates as ArviZ has them: a plate is a dimension of its sites."""

from __future__ import annotations

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl.lang.site import SampleStatement
from vipl.tracing.survey import Survey

_OF_ARVIZ = ("chain", "draw", "sample")


def in_arviz(address: str) -> str:
    """Return an address as the name of a variable, in which xarray allows no slash.

    >>> in_arviz("group/mu")
    'group.mu'
    """
    return address.replace("/", ".")


def dimensions(surveyed: Survey, shapes: dict, coords, dims) -> dict[str, list[str]]:
    """Return a name for every dimension of every value, by the value's name in ArviZ.

    Args:
        surveyed: the model.
        shapes: of latent and deterministic values, by address.
        coords: names of the elements of dimensions, or None.
        dims: names of the dimensions of some values, by address or by name in ArviZ, which go before those of plates.

    Raises:
        AddressError: `dims` has a value that there is not, or `coords` a dimension.
    """
    given = {in_arviz(name): list(names) for name, names in (dims or {}).items()}
    found = {in_arviz(address): _by_number(address, shape) for address, shape in shapes.items()}
    for located in surveyed.of_kind(SampleStatement):
        found |= {in_arviz(located.statement.address): _of_plates(located)}
    for name in given:
        _check(name, found, "value", "dims")
    taken = _taken(surveyed, found)
    found = {
        name: [dim if dim not in taken else f"{name}_dim_{i}" for i, dim in enumerate(names)]
        for name, names in found.items()
    }
    found |= given
    for name in coords or {}:
        _check(name, {dim for names in found.values() for dim in names}, "dimension", "coords")
    return found


def _of_plates(located) -> list[str]:
    statement = located.statement
    names = _by_number(statement.address, located.full_shape)
    for frame in statement.plates:
        if frame.length == frame.size:
            names[len(names) - statement.event_dim + frame.dim] = in_arviz(frame.address)
    return names


def _taken(surveyed, found) -> set[str]:
    """Return names of plates that cannot be those of dimensions: of values too, or of plates of different sizes."""
    sizes: dict[str, set] = {}
    for located in surveyed.of_kind(SampleStatement):
        for frame in located.statement.plates:
            sizes.setdefault(in_arviz(frame.address), set()).add(frame.size)
    return {name for name, seen in sizes.items() if len(seen) > 1 or name in found or name in _OF_ARVIZ}


def _by_number(address, shape) -> list[str]:
    return [f"{in_arviz(address)}_dim_{i}" for i in range(len(shape))]


def _check(name, known, what, where) -> None:
    if name not in known:
        raise AddressError(
            f"{where} has {name!r}, and there is no such {what}." + did_you_mean(name, known),
            where=user_source(),
            fix='coords={"school": ["A", "B"]}, dims={"theta": ["school"]}',
        )
