"""Randomness for a whole program at once.

Compiling random bits is dear, so noise of one kind is drawn in one call for all sites and handed out. The key, the
kind of noise and the position of the site decide a draw, and nothing else. So the same key gives the same draws under
jit, vmap and eagerly.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

from vipl._core.compat import made_once
from vipl._core.interpreter import Located
from vipl._core.keys import stream
from vipl.lang.plate import IndicesStatement

_POOLED = {"normal": jax.random.normal, "uniform": jax.random.uniform}
FREE_STREAM = len(_POOLED)  # of a key: the first that no noise is drawn from

# Up to so many numbers XLA would make anew in each pass over what they go into, which takes a fifth of a step with four
# hundred of them (on a CPU). More it makes on several cores within these passes, which is quicker, as measured.
_MADE_ONCE = 2**12
_is_in_a_fit = jax.make_user_context(default_value=False)


def in_a_fit():
    """Return a context manager: what is traced inside is run ten thousand times, so compilation may take longer."""
    return _is_in_a_fit(True)


def draw_noise(key, statements: list[Located], with_keys=frozenset()) -> dict:
    """Draw what every random statement needs.

    Args:
        key: a typed key.
        statements: sites and subsampled plates, in program order.
        with_keys: paths of sites that want a key in place of their base noise.

    Returns:
        `{path: noise}` with construct axes and lanes in front; `LoopKeys` for a statement inside a `while_loop`.
    """
    pools: dict[tuple, list[Located]] = {}
    noise = {}
    for position, located in enumerate(statements):
        kind, shape, dtype = _need(located, with_keys)
        if kind == "none":
            noise[located.path] = jnp.zeros(located.axes + located.statement.lane_shape)
        elif kind in _POOLED:
            pools.setdefault((kind, dtype), []).append(located)
        else:
            own = jax.random.fold_in(key, position)
            keys = jax.random.split(own, shape) if shape else own
            noise[located.path] = keys if located.loop is None else LoopKeys(keys)
    for (kind, dtype), members in pools.items():
        shapes = [_need(located, with_keys)[1] for located in members]
        sizes = [math.prod(shape) for shape in shapes]
        shape = shapes[0] if len(members) == 1 else (sum(sizes),)
        make = functools.partial(_POOLED[kind], shape=shape, dtype=dtype)
        own = stream(key, list(_POOLED).index(kind))
        pool = made_once(make, own, whatever_it_takes=_is_in_a_fit.value) if sum(sizes) <= _MADE_ONCE else make(own)
        start = 0
        for located, shape, size in zip(members, shapes, sizes, strict=True):
            noise[located.path] = pool if len(members) == 1 else pool[start : start + size].reshape(shape)
            start += size
    return noise


def _need(located: Located, with_keys) -> tuple[str, tuple[int, ...], object]:
    """Return kind, shape and dtype of the noise for one statement."""
    statement = located.statement
    front = located.axes + statement.lane_shape
    if located.loop is not None:
        return "key", located.axes, None
    if isinstance(statement, IndicesStatement) or located.path in with_keys:
        return "key", front, None
    return statement.noise.kind, front + tuple(statement.noise.shape), statement.noise.dtype


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LoopKeys:
    """Keys of a statement inside a `while_loop`, one for each step of the constructs around it.

    A round of the loop is folded into them; at the statement one key is left.
    """

    keys: jax.Array

    def at_iteration(self, iteration) -> LoopKeys:
        """Return the keys of one round."""
        fold = jax.random.fold_in
        for _ in self.keys.shape:
            fold = jax.vmap(fold, in_axes=(0, None))
        return LoopKeys(fold(self.keys, iteration))

    def noise(self, statement):
        """Return the noise of a statement."""
        if isinstance(statement, IndicesStatement) or statement.noise.kind not in _POOLED:
            shape = statement.lane_shape
            return jax.random.split(self.keys, shape) if shape else self.keys
        shape = statement.lane_shape + tuple(statement.noise.shape)
        return _POOLED[statement.noise.kind](self.keys, shape, statement.noise.dtype)
