"""The numbers that an optimiser was made with, by name: `optax.adam(0.02)` knows its own by what it closes over.

>>> import optax
>>> from vipl.infer.storage.settings import settings_of
>>> settings_of(optax.sgd(0.1))["step_size"]
-0.1
"""

from __future__ import annotations

import functools
import types

_DEPTH = 20


def settings_of(value) -> dict:
    """Return the numbers and words in an optimiser, by the names that its functions have for them.

    A name that comes several times is numbered. What else there is, such as arrays, is left out.
    """
    found: dict = {}
    _gather(value, "", found, set(), 0)
    return found


def first_change(before: dict, now: dict) -> str:
    """Say which setting that both have is another one, or nothing; names differ among versions of a library."""
    changed = (name for name in now if name in before and before[name] != now[name])
    return next((f"{name} was {before[name]!r}, and is {now[name]!r} here" for name in changed), "")


def _gather(value, name: str, found: dict, seen: set, depth: int) -> None:
    if isinstance(value, (bool, int, float, str)):
        names = [name, *(f"{name} ({number})" for number in range(2, 100))]
        found[next((one for one in names if one not in found), name)] = value
        return
    if depth > _DEPTH or id(value) in seen:
        return
    seen.add(id(value))
    for inner_name, inner in _parts(value, name):
        _gather(inner, inner_name, found, seen, depth + 1)


def _parts(value, name: str):
    """Yield what a value is made of, and the names of that."""
    if isinstance(value, types.FunctionType):
        for free, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                yield free, cell.cell_contents
            except ValueError:  # a cell that is not filled yet
                continue
        yield from (value.__kwdefaults__ or {}).items()
    elif isinstance(value, functools.partial):
        yield from [(name, value.func), *((name, argument) for argument in value.args), *value.keywords.items()]
    elif isinstance(value, dict):
        yield from ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, (tuple, list)):
        yield from ((name, inner) for inner in value)
