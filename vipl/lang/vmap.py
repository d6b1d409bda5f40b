"""`vmap`: one function over many lanes, each with draws of its own."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl._core import ambient
from vipl._core.errors import ShapeError
from vipl._core.source import user_source
from vipl._core.static import partition
from vipl._core.structural_vmap import structural_vmap


def vmap(fn, in_axes=0, axis_size: int | None = None):
    """Vectorise a function of a program; every site inside draws independently in each lane.

    Prefer it to `jax.vmap` inside programs: that refuses a site with nothing that differs between the lanes, and
    a `cond` whose predicate differs between the lanes.

    Args:
        fn: function of any pytrees that may sample.
        in_axes: as in `jax.vmap`; leaves that are not arrays are passed on as they are.
        axis_size: number of lanes, where no argument tells it.

    Returns:
        A function whose results, and the values of its sites in the trace, have the lanes as leading axis.

    Raises:
        ShapeError: the arguments disagree about the number of lanes, or none tells it.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model():
        ...     return vipl.vmap(lambda: vipl.sample("x", dist.Normal(0.0, 1.0)), axis_size=4)()
        >>> vipl.simulate(model(), jax.random.key(0))["x"].shape
        (4,)
    """

    def mapped(*args):
        if ambient.current() is None:
            return jax.vmap(fn, in_axes=in_axes, axis_size=axis_size)(*args)
        source = user_source()
        axes = _flat_axes(in_axes, args, source)
        arrays, skeleton = partition(args)
        axes = [axis for axis, leaf in zip(axes, skeleton.leaves, strict=True) if leaf is None]
        arrays = [x if axis is None else jnp.moveaxis(x, axis, 0) for x, axis in zip(arrays, axes, strict=True)]
        size = _lanes(arrays, axes, axis_size, source)
        out = []

        def flat(*lane):
            results, structure = partition(fn(*skeleton.fill(lane)))
            out.append(structure)
            return results

        in_lanes = [None if axis is None else 0 for axis in axes]
        results = structural_vmap(flat, in_lanes, size)(*map(jnp.asarray, arrays))
        return out[-1].fill(results)

    return mapped


def _flat_axes(in_axes, args, source):
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    try:
        prefix = jax.tree.broadcast(in_axes, args, is_leaf=lambda x: x is None)
    except ValueError as error:
        raise ShapeError(
            f"in_axes {in_axes!r} does not fit the arguments.",
            where=source,
            fix="one entry for each argument: 0 or None",
        ) from error
    return jax.tree.leaves(prefix, is_leaf=lambda x: x is None)


def _lanes(arrays, axes, axis_size, source) -> int:
    sizes = {x.shape[0] for x, axis in zip(arrays, axes, strict=True) if axis is not None}
    sizes |= set() if axis_size is None else {axis_size}
    if len(sizes) != 1:
        found = "no argument says how many lanes there are" if not sizes else f"the lanes number {sorted(sizes)}"
        raise ShapeError(f"vipl.vmap: {found}.", where=source, fix="vipl.vmap(fn, axis_size=n)")
    return sizes.pop()
