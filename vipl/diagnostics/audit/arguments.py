"""The arguments of an audit: checked, and those of the expectation taken apart.

Into the leaves that gradients are taken in, other arrays, and the rest.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.errors import ParameterError, ProgramError, RandomnessError
from vipl._core.keys import as_key
from vipl._core.source import user_source
from vipl._core.static import StaticValue, is_array_leaf, plain_array
from vipl.transform import Expectation

_FEWEST = 512  # with fewer, one draw carries a twentieth of the squares by chance
_DIFFERENTIATED, _ARRAY, _STATIC = range(3)


def checked(expectation, key, num_draws):
    """Return the key, once the arguments have been found good."""
    fix = "vipl.audit(objective, …, key=jax.random.key(0))"
    if not isinstance(expectation, Expectation):
        raise ProgramError(
            f"audit measures an expectation, and got {type(expectation).__name__}.",
            where=user_source(),
            fix="@vipl.expectation above the objective; then " + fix,
        )
    if not isinstance(num_draws, int) or num_draws < _FEWEST:
        raise ParameterError(
            f"num_draws is {num_draws!r}; fewer than {_FEWEST} draws show too little.",
            where=user_source(),
            fix=f"num_draws={_FEWEST}",
        )
    try:
        return as_key(key, "audit")
    except RandomnessError as error:
        raise RandomnessError(error.what, where=error.where, fix=fix) from None


@dataclasses.dataclass(frozen=True)
class Layout:
    """Arguments without their arrays: hashable, so that what is compiled for them is found again.

    Attributes:
        treedef: their structure.
        kinds: for each leaf, whether it is differentiated, another array, or static.
        static: the static leaves.
        names: of the differentiated leaves, such as `args[1].loc`.
    """

    treedef: object
    kinds: tuple[int, ...]
    static: tuple[StaticValue, ...]
    names: tuple[str, ...]

    def fill(self, leaves, others) -> tuple:
        """Return the arguments with these differentiated leaves and other arrays."""
        sources = (iter(leaves), iter(others), (s.value for s in self.static))
        return jax.tree.unflatten(self.treedef, [next(sources[kind]) for kind in self.kinds])


def take_apart(args: tuple, argnums) -> tuple[Layout, list, list]:
    """Return the layout of arguments, the leaves that are differentiated, and the other arrays.

    Args:
        args: the arguments.
        argnums: which of them are differentiated: an int, several, or None for all.

    Raises:
        ParameterError: there is no such argument, or nothing in it is a floating-point array.
    """
    chosen = _positions(argnums, len(args))
    paths, treedef = jax.tree_util.tree_flatten_with_path(args)
    parts: tuple[list, list, list] = ([], [], [])
    kinds, names = [], []
    for path, leaf in paths:
        kind = _kind(leaf, path[0].idx in chosen)
        kinds.append(kind)
        parts[kind].append(jnp.asarray(plain_array(leaf)) if kind != _STATIC else StaticValue(leaf))
        if kind == _DIFFERENTIATED:
            names.append("args" + jax.tree_util.keystr(path))
    if not names:
        raise ParameterError(
            f"there is nothing to differentiate: no argument in {sorted(chosen)} holds a floating-point array.",
            where=user_source(),
            fix="pass the parameters as floats, such as 1.0 or jnp.zeros(3), or choose other argnums",
        )
    return Layout(treedef, tuple(kinds), tuple(parts[_STATIC]), tuple(names)), parts[0], parts[1]


def _positions(argnums, count: int) -> set[int]:
    if argnums is None:
        return set(range(count))
    wanted = tuple(np.atleast_1d(argnums))
    if any(not -count <= n < count for n in wanted):
        raise ParameterError(
            f"argnums is {argnums!r}, and the expectation got {count} arguments.",
            where=user_source(),
            fix="positions from 0 on, not counting the key",
        )
    return {int(n) % count for n in wanted}


def _kind(leaf, chosen: bool) -> int:
    if not is_array_leaf(leaf):
        return _STATIC
    floating = isinstance(leaf, float) or jnp.issubdtype(leaf.dtype, jnp.floating)
    if chosen and floating:
        return _DIFFERENTIATED
    return _STATIC if isinstance(leaf, (float, complex)) else _ARRAY
