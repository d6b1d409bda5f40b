"""Random keys as users hand them over.

>>> import jax
>>> from vipl._core.keys import as_key
>>> bool((as_key(jax.random.PRNGKey(0), "simulate") == jax.random.key(0)).all())
True
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from vipl._core.compat import is_tracer
from vipl._core.errors import RandomnessError
from vipl._core.source import user_source


def as_key(key, caller: str):
    """Return a typed scalar key, from a typed key or an old-style `jax.random.PRNGKey`.

    Raises:
        RandomnessError: the key is missing, an integer, a batch of keys, or not a key at all.
    """
    fix = _CALLS.get(caller, f"{caller}(jax.random.key(0), …)")
    if key is None:
        raise RandomnessError(f"{caller} needs a key and got none.", where=user_source(), fix=fix)
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key):
        if key.shape != ():
            raise RandomnessError(
                f"{caller} needs one key and got an array of keys of shape {key.shape}.",
                where=user_source(),
                fix="use one of them, or jax.vmap over them: "
                f"jax.vmap(lambda key: {fix.replace('jax.random.key(0)', 'key')})(keys)",
            )
        return key
    if dtype == jnp.uint32 and getattr(key, "shape", None) == (2,):
        return jax.random.wrap_key_data(jnp.asarray(key))
    raise RandomnessError(f"{caller} needs a key and got {_brief(key)}.", where=user_source(), fix=fix)


def stream(key, number: int):
    """Return the key of one of several streams of random bits that belong to a key, none of them its own.

    The key's data are combined with a constant, which costs nothing; `jax.random.fold_in` costs a hash for each call of
    a compiled function, and its compilation. Word by word, since XLA then sees through a key made of words.

    Args:
        key: a typed key.
        number: which stream, from 0.
    """
    data = jax.random.key_data(key)
    word = ((np.arange(data.shape[-1], dtype=np.uint64) + 1) * 0x9E3779B9 * (2 * number + 1)).astype(np.uint32)
    parts = zip(jax.lax.split(data, [1] * len(word)), word, strict=True)
    mixed = [part ^ constant for part, constant in parts]  # by scalars: arrays would be arguments of each compiled call
    return jax.random.wrap_key_data(jax.lax.concatenate(mixed, 0), impl=jax.random.key_impl(key))


def numbered(key, number):
    """Return the key of one of many steps, at no cost either: the number is mixed into the key's last word.

    No two numbers below 2³² have one key. That no stream of one step is a stream of another either is since `stream`
    changes all words.

    Args:
        key: a typed key, of which nothing is drawn but by such keys, or by `jax.random.fold_in`.
        number: which step; may be traced.
    """
    data = jax.random.key_data(key)
    *others, last = jax.lax.split(data, [1] * data.shape[-1])
    mixed = last ^ (jnp.asarray(number).astype(jnp.uint32) * jnp.uint32(0x85EBCA6B) + jnp.uint32(0xC2B2AE35))
    return jax.random.wrap_key_data(jax.lax.concatenate([*others, mixed], 0), impl=jax.random.key_impl(key))


_CALLS = {
    "simulate": "vipl.simulate(program, jax.random.key(0))",
    "infer": "vipl.infer(…, key=jax.random.key(0))",
    "init_params": "vipl.init_params(jax.random.key(0), …)",
}


def _brief(value) -> str:
    if is_tracer(value):
        return f"a traced {value.dtype} of shape {value.shape}"
    return f"{type(value).__name__} {value!r}" if isinstance(value, (int, float, str)) else type(value).__name__
