"""The data of each posterior, and what is known of it; `data/README.md` says where the numbers come from."""

import functools
import json
import pathlib

DATA = pathlib.Path(__file__).parent / "data"


@functools.cache
def read(name):
    """Return `"data"`, `"reference"` and where it is known `"exact"`: `{parameter: {"mean": …, "sd": …}}`."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
