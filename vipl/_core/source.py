"""Where in the user's own code a statement stands.

>>> from vipl._core.source import user_source
>>> user_source().function
'<module>'
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys

import jax
import numpyro

_VIPL = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARIES = tuple(m.__path__[0] + os.sep for m in (jax, numpyro))
_STANDARD = ("<frozen ", contextlib.__file__, functools.__file__)
_USER_CODE_WITHIN_VIPL = os.path.join(_VIPL, "demo") + os.sep


@dataclasses.dataclass(frozen=True)
class Source:
    """A line of the user's code: `file`, `line` and the `function` around it."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


def is_user_file(file: str) -> bool:
    """Return whether a file belongs to the user rather than to vipl, JAX, NumPyro or Python."""
    if file.startswith(_USER_CODE_WITHIN_VIPL):
        return True
    return not file.startswith((_VIPL, *_LIBRARIES, *_STANDARD))


def _is_made(code) -> bool:
    """Return whether code is the constructor that `dataclasses` makes, and nobody wrote."""
    return (code.co_filename, code.co_name) == ("<string>", "__init__")


def user_source() -> Source:
    """Return the innermost line of the call stack that the user wrote."""
    frame = sys._getframe(1)
    while frame.f_back is not None and (not is_user_file(frame.f_code.co_filename) or _is_made(frame.f_code)):
        frame = frame.f_back
    return Source(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
