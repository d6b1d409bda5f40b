"""Values handed to a program by address: each checked against the site that it is meant for."""

from __future__ import annotations

from collections.abc import Mapping

from vipl._core.errors import AddressError, did_you_mean
from vipl._core.source import user_source
from vipl._core.staging import Staged
from vipl.distributions.support import kind_of
from vipl.lang.known import is_known, known_leaves, known_support
from vipl.lang.observation import as_array, check_finite, check_shape, check_within, known_value
from vipl.lang.site import SampleStatement


def checked_values(staged: Staged, name: str, choices, function: str, kinds) -> dict:
    """Return values by address as arrays, each checked against its site.

    Args:
        staged: the staged program.
        name: its name.
        choices: a dict, or a Trace.
        function: what the user called.
        kinds: the kinds of statements that may get a value.

    Raises:
        AddressError: the program has no such site.
        ShapeError: a value does not have the shape of its site.
        SupportError: a value is NaN, or outside of the support.
    """
    source = user_source()
    choices = getattr(choices, "choices", choices)
    if not isinstance(choices, Mapping):
        raise AddressError(
            f"vipl.{function} takes values by address, and got {type(choices).__name__}.",
            where=source,
            fix='a dict {"address": value}, or a Trace',
        )
    statements = staged.statements
    known = {s.statement.address: s for s in statements if isinstance(s.statement, kinds) and not s.statement.hidden}
    checked = {}
    for address, value in choices.items():
        if address not in known:
            raise unknown_address(address, known, f"vipl.{function} of {name}, {source}", statements)
        given, value = value, as_array(value, address, f"vipl.{function}, {source}")
        where = f"{known[address].statement}; value given at {source}"
        check_shape(value, known[address].full_shape, address, where)
        given = known_value(given, value)
        if isinstance(known[address].statement, SampleStatement) and given is not None:
            _check_value(given, known[address], staged, where)
        checked[address] = value
    return checked


def _check_value(value, located, staged, where):
    """Refuse a value that is NaN or outside of the site's support, as far as that is known."""
    statement = located.statement
    check_finite(value, statement.address, where)
    support = known_support(located, staged)
    if support is not None and is_known(support):
        kind = kind_of(statement.distribution(known_leaves(located, staged)))
        check_within(value, support, kind, statement.address, where)


def unknown_address(address, known, where, statements=()):
    """Return the error for an address that is not there, with the closest one that is."""
    other = next((s.statement for s in statements if s.statement.address == address), None)
    what = (
        f"{address!r} is a {other.noun} and cannot be set."
        if other is not None
        else f"there is no site {address!r}." + did_you_mean(str(address), known)
    )
    fix = "condition or do the random sites that it is computed from" if other is not None else "correct the address"
    return AddressError(what, where=where, fix=fix)
