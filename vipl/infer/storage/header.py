"""The description of a file's contents: made, read again and mistrusted.

>>> import numpy as np
>>> from vipl.infer.storage import header
>>> line = header.text("squares", {"of": 3}, {"values": np.array([1, 4, 9])})
>>> header.parsed(line, "squares", num_bytes=24)
({'of': 3}, {'values': {'dtype': 'int64', 'shape': [3]}})
"""

from __future__ import annotations

import json

from vipl.infer.storage import arrays as storage
from vipl.infer.storage.refused import Refused

FORMAT = 1
LONGEST = 2**24  # bytes: parsed JSON takes up to twenty times the memory of its text
DEEPEST = 200  # lists and dicts in one another: what walks over them does not run out of stack
_READERS = {"posterior": "vipl.load_posterior(path, model, guide)", "training": "vipl.infer(…, checkpoint=path)"}


def text(kind: str, metadata: dict, arrays: dict) -> bytes:
    """Return the description of arrays and metadata, one line of JSON.

    Raises:
        Refused: the metadata are no JSON, or too much of it.
    """
    described = {name: storage.describe(array) for name, array in arrays.items()}
    header = {"format": FORMAT, "kind": kind, "metadata": metadata, "arrays": described}
    try:
        line = json.dumps(header, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        fix = "dicts with string keys, lists, strings, numbers, booleans and None"
        raise Refused(f"what is to be stored besides arrays is no JSON: {error}", fix) from None
    if len(line) > LONGEST:
        fix = f"large values as arrays; at most {LONGEST} bytes of anything else"
        raise Refused(f"what is to be stored besides arrays takes {len(line)} bytes", fix)
    if _is_deep(header):
        raise Refused(f"what is to be stored is nested more than {DEEPEST} times", "lists in place of linked lists")
    return line


def parsed(line: bytes, kind: str, num_bytes: int) -> tuple[dict, dict]:
    """Return the metadata and the descriptions of the arrays.

    Args:
        line: what `text` returned, perhaps.
        kind: what the file must be.
        num_bytes: how many bytes of arrays follow.

    Raises:
        Refused: it is not what `text` returns, or does not fit what follows.
    """
    header = _json(line)
    version, found = header.get("format"), header.get("kind")
    if isinstance(version, int) and version > FORMAT:
        what = f"was written by a newer version of vipl, in format {version}; this one reads up to format {FORMAT}"
        raise Refused(what, "pip install --upgrade vipl")
    metadata, described = header.get("metadata"), header.get("arrays")
    if version != FORMAT or not isinstance(metadata, dict) or not isinstance(described, dict):
        raise Refused("has no readable description of its contents")
    if found != kind:
        raise Refused(f"holds {found!r}, not {kind!r}", _READERS.get(str(found), "the path of another file"))
    expected = sum(storage.size(description) for description in described.values())
    if expected != num_bytes:
        raise Refused(f"has {num_bytes} bytes of arrays where it says {expected}")
    return metadata, described


def _json(line: bytes) -> dict:
    try:
        if len(line) <= LONGEST:
            header = json.loads(line)
            if isinstance(header, dict) and not _is_deep(header):
                return header
    except (ValueError, RecursionError):
        pass
    raise Refused("has no readable description of its contents")


def _is_deep(value) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _within(outer)]
    return bool(level)


def _within(value):
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()
