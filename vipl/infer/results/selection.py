"""The scalars of a posterior that are to be drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl.distributions.regions import region_of
from vipl.lang.known import is_known, known_support
from vipl.lang.program import Program
from vipl.tracing.survey import survey


@dataclasses.dataclass(frozen=True, eq=False)
class Column:
    """Draws of one scalar.

    Attributes:
        name: such as `theta[0]`.
        draws: `(num_draws,)`.
        discrete: whether it is an integer or a truth value.
        lower, upper: bounds of its support, as far as known; else infinite.
    """

    name: str
    draws: np.ndarray
    discrete: bool
    lower: float
    upper: float


def columns_of(draws: dict, model: Program, wanted) -> list[Column]:
    """Return the scalars that are asked for.

    Args:
        draws: by address, each with a leading axis.
        model: the model, which knows supports.
        wanted: addresses, or names of scalars; None for all.

    Raises:
        AddressError: there is no such address.
    """
    wanted = [wanted] if isinstance(wanted, str) else list(draws if wanted is None else wanted)
    found = []
    for name in wanted:
        address = name if name in draws else name.partition("[")[0]
        columns = dict(_scalars(address, draws[address])) if address in draws else {}
        if not columns or name not in (address, *columns):
            raise AddressError(
                f"the posterior has no {name!r}." + did_you_mean(str(name), columns or draws),
                where=user_source(),
                fix="addresses, or names of scalars such as 'theta[0]'",
            )
        lower, upper = _bounds(model, address)
        discrete = np.asarray(draws[address]).dtype.kind in "biu"
        chosen = columns if name == address else {name: columns[name]}
        found += [Column(full, values, discrete, lower, upper) for full, values in chosen.items()]
    return found


def flat_reference(reference) -> dict:
    """Return draws of a reference by the names of scalars; functions stay as they are."""
    flat = {}
    for address, value in (reference or {}).items():
        flat |= {address: value} if callable(value) else dict(_scalars(address, value))
    return flat


def _scalars(address, values) -> Iterator[tuple[str, np.ndarray]]:
    values = np.asarray(values, float)
    for index in np.ndindex(values.shape[1:]):
        yield address + (f"[{', '.join(map(str, index))}]" if index else ""), values[(slice(None), *index)]


def _bounds(model, address) -> tuple[float, float]:
    """Return the bounds of the support of a latent site, if it has such that hold for all of its elements."""
    surveyed = survey(model)
    for located in surveyed.latents.get(address, ()):
        support = known_support(located, surveyed.staged)
        region = None if support is None else region_of(support)
        if region is not None and is_known((region.lower, region.upper)):
            return float(np.asarray(region.lower).min()), float(np.asarray(region.upper).max())
    return -np.inf, np.inf
