"""`plate`: conditional independence along a batch dimension, whole or subsampled."""

from __future__ import annotations

import dataclasses
import operator

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core import ambient
from vipl._core.compat import is_tracer, staging_depth
from vipl._core.errors import AddressError, ProgramError, ShapeError
from vipl._core.source import user_source
from vipl._core.staging import note_draw
from vipl._core.statement import Statement, bind


@dataclasses.dataclass(frozen=True, eq=False)
class IndicesStatement(Statement):
    """The random indices of a subsampled plate: `shape[0]` of `size`, without replacement."""

    size: int = 0
    noun = "plate"
    draws = True


class plate:
    """Declare that a batch dimension holds conditionally independent elements.

    Every site inside is expanded to the plate's size along the plate's dimension. With `subsample_size`, a
    random subset of the indices is drawn, and the log densities inside count `size / subsample_size` times, which
    makes their sum an unbiased estimate of the whole.

    Args:
        name: its name; the address of the indices when subsampled.
        size: number of elements, a Python int; 0 and 1 are fine.
        subsample_size: how many elements to look at, at least 1 (of a `size` of 0 none), at most `size`.
        dim: the batch dimension, negative; default: the first free one from the right.

    Returns:
        Entering yields the indices, an int array of shape `(subsample_size or size,)`. One plate may be
        entered several times and then yields the same indices.

    Raises:
        ShapeError: the size is not a Python int, or the dimension is taken.
        AddressError: a plate inside one of the same name.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(data):
        ...     mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        ...     with vipl.plate("data", data.shape[0], subsample_size=2) as index:
        ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=data[index])
        >>> vipl.simulate(model(jnp.arange(10.0)), jax.random.key(0)).observed["y"].shape
        (2,)
    """

    def __init__(self, name: str, size: int, *, subsample_size: int | None = None, dim: int | None = None):
        self.name, self.source = name, user_source()
        self.size = _as_size(name, size, self.source, "size")
        self.length = self.size if subsample_size is None else _as_size(name, subsample_size, self.source, "subsample")
        self.dim = dim
        if not min(self.size, 1) <= self.length <= self.size:
            excess = "more than its size" if self.length else "none of its size"
            raise ShapeError(
                f"plate {name!r} has subsample_size {self.length}, {excess} {self.size}.",
                where=self.source,
                fix=f"subsample_size from {min(self.size, 1)} to {self.size}; the size is that of the whole data",
            )
        if dim is not None and (not isinstance(dim, int) or dim >= 0):
            raise ShapeError(
                f"plate {name!r} has dim {dim!r}; plates count batch dimensions from the right.",
                where=self.source,
                fix="dim=-1 is the last, dim=-2 the one before",
            )
        self._indices = None
        self._managers = []

    def __enter__(self):
        here = ambient.current()
        if here is None:
            raise ProgramError(
                f"plate {self.name!r} is opened outside of a program.",
                where=self.source,
                fix="decorate the function with @vipl.program and run it with vipl.simulate(program, key)",
            )
        if any(frame.name == self.name for frame in here.plates):
            raise AddressError(
                f"plate {self.name!r} is opened inside a plate of the same name.",
                where=self.source,
                fix=f"another name for the inner one, such as {self.name + '_2'!r}",
            )
        dim = self._free_dim(here.plates)
        frame = ambient.PlateFrame(self.name, here.scope + self.name, self.size, self.length, dim)
        if self._indices is None:
            self._indices = self._draw_indices(here)
        manager = ambient.surround(dataclasses.replace(here, plates=(*here.plates, frame)))
        manager.__enter__()
        self._managers.append(manager)
        return self._indices

    def __exit__(self, *exception):
        self._managers.pop().__exit__(*exception)

    def _free_dim(self, frames) -> int:
        taken = {frame.dim: frame.name for frame in frames}
        if self.dim is not None:
            if self.dim in taken:
                raise ShapeError(
                    f"plate {self.name!r} wants dim {self.dim}, which plate {taken[self.dim]!r} has.",
                    where=self.source,
                    fix=f"dim={min(taken) - 1}, or leave dim out",
                )
            return self.dim
        return next(dim for dim in range(-1, -len(taken) - 2, -1) if dim not in taken)

    def _draw_indices(self, here):
        if self.length == self.size:
            return jnp.arange(self.size)
        depth = staging_depth() - here.depth
        address = here.scope + self.name
        statement = IndicesStatement(address, self.source, depth, (self.length,), np.dtype("int32"), size=self.size)
        indices = bind([], statement)
        note_draw(address, indices)
        return indices


def _brief(value) -> str:
    shape = getattr(value, "shape", ())
    return f"an array of shape {shape}" if shape else repr(value)


def _as_size(name, size, source, what) -> int:
    try:
        size = operator.index(size)
    except (TypeError, jax.errors.JAXTypeError) as error:
        problem = "not known when the program is traced" if is_tracer(size) else f"{_brief(size)}, which is no integer"
        raise ShapeError(
            f"the {what} of plate {name!r} is {problem}.",
            where=source,
            fix="a Python int, or an array's shape: data.shape[0]",
        ) from error
    if size < 0:
        raise ShapeError(
            f"plate {name!r} has {what} {size}, which is negative.",
            where=source,
            fix="an array's length: data.shape[0]",
        )
    return size
