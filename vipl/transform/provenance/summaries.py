"""Names for what stands in for all earlier choices of a `scan`: the state before a step, and after the last one.

They are choices to everything outside, named like these by a path.
"""

from __future__ import annotations

_BEFORE, _AFTER = -1, 2**31  # no index of an equation; before and after all choices inside


def state_before(path: tuple) -> tuple:
    """Return the name of the state before each step of the scan at a path."""
    return (*path, _BEFORE)


def state_after(path: tuple) -> tuple:
    """Return the name of the state after the last step of the scan at a path."""
    return (*path, _AFTER)


def is_state(choice) -> bool:
    """Return whether a choice is a state."""
    return choice[-1] in (_BEFORE, _AFTER)
