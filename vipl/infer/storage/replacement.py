"""Files that are written whole or not at all.

>>> import pathlib, tempfile
>>> from vipl.infer.storage.replacement import replace_file
>>> path = pathlib.Path(tempfile.mkdtemp()) / "greeting"
>>> replace_file(path, [b"hello, ", b"world"])
>>> path.read_bytes()
b'hello, world'
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable


def replace_file(path, chunks: Iterable) -> None:
    """Write a file, in the place of one of that name, so that at every moment the old or the new one is there, whole.

    The new file is written beside the old one, is on the disk before it takes the old one's place, and is removed if
    anything goes wrong; only a killed process or a power cut leaves it behind, as `.vipl-….tmp`.

    Args:
        path: where. A symbolic link is followed, and stays.
        chunks: the contents, objects that can be written to a binary file, in order.

    Raises:
        OSError: the file cannot be written.
    """
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    beside = os.path.join(folder, f".vipl-{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:  # Ctrl-C too
        with contextlib.suppress(OSError):
            os.remove(beside)
        raise
    _flush_folder(folder)


def _flush_folder(folder: str) -> None:
    """Put the new name on the disk; where folders cannot be flushed, the operating system does it in its own time."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
