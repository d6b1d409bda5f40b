r"""One format for all files of vipl: JSON that says what is in them, then the elements of arrays.

A file is three lines of text and the arrays' bytes, in the order of the third line, with nothing between them::

    vipl archive
    9f86d081…                                       SHA-256 of all that follows
    {"format": 1, "kind": "posterior", "metadata": {…}, "arrays": {"key": {"dtype": "uint32", "shape": [2]}}}

Sizes follow from types and shapes, so no position can be wrong; and they must add up to the size of the file before
any memory is taken for arrays. Reading runs nothing that stands in the file.

>>> import os, tempfile, numpy as np
>>> from vipl.infer.storage import archive
>>> path = os.path.join(tempfile.mkdtemp(), "squares.vipl")
>>> archive.write(path, "squares", {"of": [1, 2, 3]}, {"values": np.array([1, 4, 9])})
>>> archive.read(path, "squares").arrays
{'values': array([1, 4, 9])}
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
from typing import Any

import jax
import numpy as np

from vipl._core.errors import CheckpointError
from vipl._core.hosts import agreed
from vipl._core.source import user_source
from vipl.infer.storage import arrays as storage
from vipl.infer.storage import header
from vipl.infer.storage.refused import WRITE_ANEW, Refused
from vipl.infer.storage.replacement import replace_file

_MAGIC = b"vipl archive\n"


@dataclasses.dataclass(frozen=True)
class Archive:
    """What was read from a file.

    Attributes:
        path: the file.
        metadata: anything that JSON can hold, by name.
        arrays: NumPy arrays and typed keys, by name.
    """

    path: str
    metadata: dict
    arrays: dict

    def entry(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """Return one entry of the metadata, which must be of this type."""
        value = self.metadata.get(name)
        if not isinstance(value, kind):
            raise self.refusal(f"has no proper {name!r}", WRITE_ANEW)
        return value

    def array(self, name: str):
        """Return one array."""
        if name not in self.arrays:
            raise self.refusal(f"has no array {name!r}", WRITE_ANEW)
        return self.arrays[name]

    def refusal(self, what: str, fix: str) -> CheckpointError:
        """Return the error that says what about this file does not fit."""
        return _error(self.path, what, fix)


def write(path, kind: str, metadata: dict, arrays: dict) -> None:
    """Write arrays and what JSON can hold to a file, whole or not at all; of several hosts the first does.

    Args:
        path: where.
        kind: what the file is; `read` asks for it.
        metadata: dicts with string keys, lists, strings, numbers, booleans and None.
        arrays: arrays of any type that JAX computes with, and typed keys, by name.

    Raises:
        CheckpointError: the file cannot be written, or something cannot be stored.
    """
    path = _checked(path)
    try:
        elements = [_bytes_of(storage.plain(array, name)) for name, array in arrays.items()]
        contents = [header.text(kind, metadata, arrays), *elements]
        digest = hashlib.sha256()
        for chunk in contents:
            digest.update(chunk)
        if jax.process_index() == 0:
            replace_file(path, [_MAGIC, digest.hexdigest().encode() + b"\n", *contents])
        agreed(True)  # the others wait for it
    except Refused as error:
        raise _error(path, f"cannot be written: {error.what}", error.fix) from error
    except OSError as error:
        fix = "a path in a folder that exists, may be written to and has space left; what was there before still is"
        raise _error(path, f"cannot be written: {_reason(error)}", fix) from error


def read(path, kind: str) -> Archive:
    """Read a file that `write` wrote.

    Args:
        path: the file.
        kind: what the file must be.

    Raises:
        CheckpointError: there is no such file, or it is damaged, foreign, of a newer version or of another kind.
    """
    path = _checked(path)
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited for
            raise Refused(f"is {'a folder' if stat.S_ISDIR(mode) else 'not a file'}", "the path of a file")
        with open(path, "rb") as file:
            return Archive(path, *_read(file, kind))
    except Refused as error:
        raise _error(path, error.what, error.fix) from error
    except OSError as error:
        raise _error(path, f"cannot be read: {_reason(error)}", "the path of a file that vipl wrote") from error


def _read(file, kind: str) -> tuple[dict, dict]:
    start = file.read(len(_MAGIC))
    if start != _MAGIC:
        what = "is not a file of vipl, or its beginning is damaged" if start else "is empty"
        raise Refused(what, "the path of a file that vipl wrote, undamaged")
    digest = file.readline(65)
    beginning = file.tell()
    if digest != hashlib.file_digest(file, "sha256").hexdigest().encode() + b"\n":
        raise Refused("is damaged: its contents do not have the checksum that they had")
    end = file.tell()
    file.seek(beginning)
    line = file.readline(header.LONGEST + 1)
    metadata, described = header.parsed(line, kind, end - file.tell())
    return metadata, {name: _read_array(file, description) for name, description in described.items()}


def _read_array(file, description: dict):
    values = storage.empty(description)
    file.readinto(_bytes_of(values))
    return storage.finished(values, description)


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _checked(path) -> str:
    try:
        path = os.fspath(path)
    except TypeError:
        pass
    if isinstance(path, str) and path and "\0" not in path:
        return path
    raise CheckpointError(f"{path!r} is not a path.", where=user_source(), fix='a path such as "fit.vipl"')


def _error(path: str, what: str, fix: str) -> CheckpointError:
    return CheckpointError(f"{path!r} {what}.", where=f"{os.path.abspath(path)}, {user_source()}", fix=fix)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
