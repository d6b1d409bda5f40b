"""What surrounds a statement while a program is staged: its scope, its plates, and what is staged.

The surroundings live in a JAX *user context*, which is part of the key of every trace cache. So a
`jax.jit`-decorated block that samples is traced again when its scope or its plates differ, and a cached
block never carries the addresses of another scope. Everything here is static and hashable.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import Any

import jax


@dataclasses.dataclass(frozen=True)
class PlateFrame:
    """An open plate: `size` independent elements along the batch dimension `dim` (negative).

    `length` is the length of that dimension: `size`, or the size of the subsample; `address` is the name with the
    scopes around it, at which the indices of a subsample are.
    """

    name: str
    address: str
    size: int
    length: int
    dim: int

    @property
    def scale(self) -> float:
        """The factor that makes a subsample's log density an unbiased estimate of the whole's."""
        return self.size / self.length if self.length else 1.0


@dataclasses.dataclass(frozen=True)
class Ambient:
    """The surroundings of a statement.

    Attributes:
        kind: what is being staged, `"program"` or `"expectation"`.
        depth: how many functions were being staged when this one began.
        scope: prefix of every address, empty or ending in `/`.
        plates: open plates, outermost first.
        token: set to a fresh object to keep every trace cache from answering.
        varying: mesh axes of a `jax.shard_map` along which the key differs, and with it every draw.
        relaxed: globs of the addresses whose discrete sites have floating-point values, between their points too.
    """

    kind: str
    depth: int
    scope: str = ""
    plates: tuple[PlateFrame, ...] = ()
    token: object = None
    varying: tuple[str, ...] = ()
    relaxed: tuple[str, ...] = ()

    def relaxes(self, address: str) -> bool:
        """Return whether a discrete site has floating-point values."""
        return any(fnmatch.fnmatchcase(address, pattern) for pattern in self.relaxed)


_context = jax.make_user_context(default_value=None)


def current() -> Any:
    """Return the surroundings (an `Ambient`) of the caller, or None outside any program and expectation."""
    return _context.value


def surround(ambient: Ambient | None):
    """Return a context manager that puts the code inside into `ambient`."""
    return _context(ambient)
