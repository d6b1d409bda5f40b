"""Data that are handed over in minibatches: arrays that the steps index, or batches that an iterator makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.distributions.subsample import subsample_indices

_LISTED = 6  # arrays of data that a message lists


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Data:
    """Where a step's batch comes from.

    Attributes:
        first: the first batch: a pytree of arrays, for shapes, and for looks at the problem that are no step.
        arrays: all data, a pytree of arrays with one leading axis; None where an iterator hands batches over.
        size: the length of that axis.
        batch_size: how many rows a batch has; None for all of them.
    """

    first: object
    arrays: object = None
    size: int = dataclasses.field(default=0, metadata={"static": True})
    batch_size: int | None = dataclasses.field(default=None, metadata={"static": True})

    def batch(self, key, step):
        """Return the batch of a step: each pass goes through the data in a new order, without what does not fill one.

        Args:
            key: the key of the data.
            step: the number of the step; may be traced.
        """
        if self.batch_size is None or self.batch_size == self.size:
            return self.arrays
        in_pass = self.size // self.batch_size
        key = jax.random.fold_in(key, step // in_pass)
        rows = subsample_indices(key, self.size, self.batch_size, (step % in_pass) * self.batch_size)
        return jax.tree.map(lambda leaf: leaf[rows], self.arrays)


class Batches:
    """Batches of an iterator, one for each step.

    An iterable that can be iterated again, such as a list or a loader, starts anew when it is through.

    Args:
        source: an iterable of pytrees of arrays. One whose iterator has `get_state` and `set_state`, as those of Grain,
            is set back by these; of any other, batches that an earlier run has used are made and passed over.
    """

    def __init__(self, source: Iterable):
        self._source, self._again = source, not isinstance(source, Iterator)
        self._iterator: Any = iter(source)
        self._ahead: list = []
        self._taken, self._state, self._looking = 0, None, False

    def look(self):
        """Return the next batch, and leave it there; None if there is none."""
        if not self._ahead:
            self._state, self._looking = self._state_now(), True
            batch = next(self._iterator, None)
            if batch is None and self._again:
                self._iterator = iter(self._source)
                batch = next(self._iterator, None)
            self._looking = False
            if batch is None:
                return None
            self._ahead.append(_as_arrays(batch))
        return self._ahead[0]

    def take(self):
        """Return the next batch; None if there is none."""
        batch = self.look()
        self._ahead.clear()
        self._taken += batch is not None
        return batch

    def position(self) -> dict:
        """Return where the next batch is, as JSON has it."""
        ahead = self._ahead or self._looking  # and was interrupted
        state = self._state if ahead else self._state_now()
        as_bytes = isinstance(state, bytes)
        return {"taken": self._taken, "bytes": as_bytes, "state": state.hex() if as_bytes else state}

    def go_to(self, position: dict) -> None:
        """Go to a position of an earlier run."""
        state = position["state"]
        if state is not None and hasattr(self._iterator, "set_state"):
            self._iterator.set_state(bytes.fromhex(state) if position["bytes"] else state)
            self._ahead.clear()
            self._taken = position["taken"]
        while self._taken < position["taken"] and self.take() is not None:
            pass

    def _state_now(self):
        return self._iterator.get_state() if hasattr(self._iterator, "get_state") else None


def data_of(data, batch_size) -> tuple[Data | None, Batches | None]:
    """Return the data as the steps take them, and the batches if an iterator makes them.

    Raises:
        ParameterError: the data are no arrays with one leading axis, and no iterable of batches; or the batch size does
            not fit.
    """
    source = user_source()
    if data is None:
        if batch_size is not None:
            raise ParameterError(
                "batch_size is given and data is not.",
                where=source,
                fix="vipl.infer(model_of, guide_of, data=(x, y), batch_size=32, …); or a plate with subsample_size",
            )
        return None, None
    if _is_pytree_of_arrays(data):
        return _from_arrays(data, batch_size, source), None
    if not isinstance(data, Iterable):
        raise ParameterError(
            f"data is {type(data).__name__}: neither arrays nor an iterable of batches.",
            where=source,
            fix="data=(x, y), arrays with one row for each datum; or an iterator of such pytrees",
        )
    if batch_size is not None:
        raise ParameterError(
            "batch_size is given, and data is an iterator, whose batches are as they are.",
            where=source,
            fix="leave batch_size out; or data=(x, y), arrays",
        )
    batches = Batches(data)
    first = batches.look()
    if first is None:
        raise ParameterError("data is an iterator without any batch.", where=source, fix="an iterator of batches")
    return Data(first), batches


def _is_pytree_of_arrays(data) -> bool:
    """Return whether data are arrays, or meant to be: a tuple or a dict is no iterable of batches."""
    if isinstance(data, (tuple, dict)):
        return True
    if isinstance(data, Iterator) or (isinstance(data, list) and not all(hasattr(x, "shape") for x in data)):
        return False
    return bool(leaves := jax.tree.leaves(data)) and all(hasattr(leaf, "shape") for leaf in leaves)


def _from_arrays(data, batch_size, source) -> Data:
    arrays = _as_arrays(data)
    named = jax.tree_util.tree_leaves_with_path(arrays)
    sizes = {jax.tree_util.keystr(path): leaf.shape[0] if leaf.ndim else None for path, leaf in named}
    if None in sizes.values() or len(set(sizes.values())) != 1:
        listed = [f"data{path}: {'a scalar' if size is None else size}" for path, size in sizes.items()]
        raise ParameterError(
            "the arrays of data differ in their number of rows: "
            + (", ".join(listed[:_LISTED]) + ", …" * (len(listed) > _LISTED) or "there are none")
            + ".",
            where=source,
            fix="arrays, of np.asarray(…), with one row for each datum; what is no datum is an argument of the model",
        )
    size = int(next(iter(sizes.values())) or 0)
    whole = isinstance(batch_size, int) and not isinstance(batch_size, bool)
    if batch_size is not None and (not whole or not 1 <= batch_size <= size):
        raise ParameterError(
            f"batch_size is {batch_size!r}, and the data have {size} rows.",
            where=source,
            fix=f"an int from 1 to {size}",
        )
    rows = size if batch_size is None else batch_size
    return Data(jax.tree.map(lambda leaf: leaf[:rows], arrays), arrays, size, batch_size)


def _as_arrays(data):
    """Return a pytree of data as arrays of JAX, or name what in it is no number."""
    return jax.tree_util.tree_map_with_path(_as_array, data)


def _as_array(path, leaf):
    if isinstance(leaf, jax.Array):
        return leaf
    array = np.asarray(leaf)
    if not (jnp.issubdtype(array.dtype, jnp.number) or jnp.issubdtype(array.dtype, jnp.bool_)):
        raise ParameterError(
            f"data{jax.tree_util.keystr(path)} is of type {array.dtype}, which holds no numbers.",
            where=user_source(),
            fix="what is no number is an argument of the model",
        )
    return jnp.asarray(array)
