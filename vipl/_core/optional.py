"""Packages that vipl does without until somebody asks for what they do.

>>> from vipl._core.optional import optional
>>> optional("math", "math", "arithmetic").sqrt(4.0)
2.0
"""

from __future__ import annotations

import importlib

from vipl._core.errors import MissingPackageError
from vipl._core.source import user_source


def optional(module: str, extra: str, what: str):
    """Import a module, or say how to install what it belongs to.

    Args:
        module: its dotted name.
        extra: the extra of vipl that has it.
        what: what needs it, in words.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).split(".")[0]
        raise MissingPackageError(
            f"{what} needs {package}, which is not installed.",
            where=user_source(),
            fix=f'pip install "vipl[{extra}]"',
        ) from error
