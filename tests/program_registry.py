"""Every program with a density written by hand, by name; the laws of `tests/laws` are run on all of them.

To add a program, declare a `case` in a file of `tests/programs` (see `programs.case`).
"""

import numpy as np
from programs import (  # noqa: F401
    branches,
    depths,
    handled,
    lanes,
    loops,
    nested,
    pairs,
    plain,
    plates,
    wrapped,
    wrappers,
)
from programs.case import CASES

PROGRAMS = CASES


def in_float64(values):
    """Return values by address as float64 arrays, for the formulas."""
    return {address: np.asarray(value, np.float64) for address, value in values.items()}


def assert_density(found, terms, relative):
    """Compare a log density with the sum of hand-written terms, relative to the largest of them."""
    found, values = float(found), [float(term) for term in terms.values()]
    scale = max([1.0, *map(abs, values)])
    error = abs(found - sum(values))
    assert error <= relative * scale, f"{found!r}, by hand {sum(values)!r}: {error / scale:.2g} of {scale:.4g}"
