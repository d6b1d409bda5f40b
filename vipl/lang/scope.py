"""`scope`: a prefix for addresses."""

from __future__ import annotations

import contextlib
import dataclasses

from vipl._core import ambient
from vipl._core.errors import ProgramError
from vipl._core.source import user_source


@contextlib.contextmanager
def scope(prefix: str):
    """Put `prefix/` in front of every address inside.

    Args:
        prefix: a non-empty string.

    Raises:
        ProgramError: outside of a program, or not a string.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     with vipl.scope("layer"):
        ...         vipl.sample("weight", dist.Normal(0.0, 1.0))
        >>> list(vipl.simulate(model(), jax.random.key(0)))
        ['layer/weight']
    """
    here = ambient.current()
    if here is None or not isinstance(prefix, str) or not prefix:
        raise ProgramError(
            f"vipl.scope({prefix!r}) needs a non-empty string and belongs inside a program.",
            where=user_source(),
            fix='`with vipl.scope("layer"):` in a function decorated with @vipl.program',
        )
    with ambient.surround(dataclasses.replace(here, scope=f"{here.scope}{prefix}/")):
        yield
