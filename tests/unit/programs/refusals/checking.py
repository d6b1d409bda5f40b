"""A good refusal has the right class, names a place in the user's own code, here that of a test, and says the fix."""

import pathlib
import re

import pytest

import vipl

FOLDER = str(pathlib.Path(__file__).parent)


def in_a_test(where):
    """Return whether the place is in a file of this folder, and not where this one calls it."""
    return FOLDER in str(where) and __file__ not in str(where)


def check(kind, function, what, fix):
    with pytest.raises(vipl.VIPLError) as caught:
        function()
    error = caught.value
    assert type(error) is kind, error
    assert in_a_test(error.where), error.where
    assert re.search(what, error.what), error.what
    assert error.fix
    assert fix in error.fix, error.fix
