"""The one place that knows JAX versions and the corners of its extension API.

Supported: JAX 0.10 and newer. Three facts differ between versions: how a `scan` equation tells its
constants from its carry, what `Primitive.get_bind_params` returns, and whether XLA keeps a barrier on a CPU.
Everything else in vipl is written against names that all supported versions share.
"""

from __future__ import annotations

import jax
import jax.core
from jax.extend import core as jex_core
from jax.extend import source_info_util

Primitive = jex_core.Primitive
Literal = jex_core.Literal

_KEEPS_BARRIERS = jax.__version_info__ >= (0, 12)
_LARGEST_ROUND = 2**11


def open_jaxpr(jaxpr):
    """Split a jaxpr parameter, closed or not, into its open jaxpr and its constants."""
    return getattr(jaxpr, "jaxpr", jaxpr), list(getattr(jaxpr, "consts", ()))


def scan_split(params) -> tuple[int, int]:
    """Return how many operands of a `scan` equation are constants and how many are carry."""
    if "num_consts" in params:  # JAX 0.10 to 0.11.1
        return params["num_consts"], params["num_carry"]
    consts, carry, *_ = params["ft_in"].unpack()
    return len(consts), len(carry)


def rebind(eqn, operands):
    """Run one equation again on new operands, in the trace that is current; returns a list."""
    params = eqn.primitive.get_bind_params(eqn.params)
    if isinstance(params, tuple):
        subfuns, params = params
        operands = [*subfuns, *operands]
    with eqn.ctx.manager:
        outs = eqn.primitive.bind(*operands, **params)
    return list(outs) if eqn.primitive.multiple_results else [outs]


def staging_depth() -> int:
    """Return how many functions are being staged to jaxprs around the caller, one in another."""
    depth = 0
    with jex_core.take_current_trace() as trace:
        while trace is not None:
            depth += type(trace).__name__ == "DynamicJaxprTrace"
            trace = getattr(trace, "parent_trace", None)
    return depth


def is_tracer(value) -> bool:
    """Return whether `value` stands for an array that is not known yet."""
    return isinstance(value, jax.core.Tracer)


def x64_enabled() -> bool:
    """Return whether 64-bit types are on in the calling context."""
    return bool(jax.config.jax_enable_x64)  # pyright: ignore[reportAttributeAccessIssue] JAX adds it at run time


def equation_line(eqn) -> str:
    """Return the user's line that an equation comes from, as `file:line (function)`."""
    return source_info_util.summarize(eqn.source_info)


def at_line_of(eqn):
    """Return a context manager: equations staged inside come from the user's line that `eqn` comes from."""
    return source_info_util.user_context(eqn.source_info.traceback)


def is_from_library(jaxpr) -> bool:
    """Return whether a jaxpr was staged from a function of JAX or NumPyro."""
    info = getattr(open_jaxpr(jaxpr)[0].debug_info, "func_src_info", "") or ""
    return any(f"{part}{name}{part}" in info for name in ("jax", "numpyro") for part in ("/", "\\"))


def varying_axes(value_or_aval) -> tuple[str, ...]:
    """Return the mesh axes of a `jax.shard_map` along which a value is not one and the same; mostly none."""
    aval = value_or_aval if isinstance(value_or_aval, jax.core.ShapedArray) else jax.typeof(value_or_aval)
    kind = getattr(aval, "mat", aval)
    return tuple(sorted(getattr(kind, "varying", None) or getattr(kind, "vma", None) or ()))


def varying_in(tree) -> tuple[str, ...]:
    """Return the mesh axes along which anything in a pytree varies."""
    return tuple(sorted({axis for leaf in jax.tree.leaves(tree) if is_tracer(leaf) for axis in varying_axes(leaf)}))


def as_varying(value, axes):
    """Return a value as one that varies along mesh axes."""
    missing = tuple(axis for axis in axes if axis not in varying_axes(value))
    return jax.lax.pcast(value, missing, to="varying") if missing else value


def shaped(shape, dtype, varying=()):
    """Return an abstract array, which may vary along mesh axes."""
    if not varying:
        return jax.core.ShapedArray(shape, dtype)
    found = []
    jax.eval_shape(lambda: found.append(jax.typeof(as_varying(jax.lax.empty(shape, dtype), varying))))
    return found[0]


def made_once(make, key, *, whatever_it_takes: bool = False):
    """Return `make(key)`, an array, held in memory rather than made anew in each pass over what it goes into.

    Before JAX 0.12 XLA drops barriers on a CPU, but not a loop of which it does not see that it has a single round.
    That takes seven equations and one core: only if it is to be made once `whatever_it_takes`, and of two thousand
    numbers at most.
    """
    if _KEEPS_BARRIERS or not whatever_it_takes or jax.default_backend() != "cpu":
        return jax.lax.optimization_barrier(make(key))
    made = jax.eval_shape(make, key)
    if made.size > _LARGEST_ROUND:
        return jax.lax.optimization_barrier(make(key))
    word = jax.random.key_data(key)[-1]
    nothing = as_varying(jax.lax.full(made.shape, 0, made.dtype), varying_axes(key))
    _, found = jax.lax.while_loop(
        lambda state: state[0] == word, lambda state: (state[0] + 1, make(key)), (word, nothing)
    )
    return found
