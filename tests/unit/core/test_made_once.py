"""Noise that is held in memory is the same noise, in every context, and XLA makes it once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

from vipl._core.compat import made_once

SIZE = 48


def normals(key):
    return jax.random.normal(key, (SIZE,))


def once(key):
    return made_once(normals, key, whatever_it_takes=True)


CONTEXTS = {
    "eager": lambda f, key: f(key),
    "jit": lambda f, key: jax.jit(f)(key),
    "vmap": lambda f, key: jax.vmap(f)(jax.random.split(key, 5)),
    "scan": lambda f, key: jax.lax.scan(lambda k, _: (jax.random.fold_in(k, 1), f(k)), key, length=3)[1],
    "remat": lambda f, key: jax.grad(lambda x: jax.checkpoint(lambda y: jnp.sum(jnp.sin(y * f(key))))(x))(0.3),
    "second derivative": lambda f, key: jax.hessian(lambda x: jnp.sum(jnp.sin(x * f(key))))(jnp.ones(2)[0]),
    "forward": lambda f, key: jax.jvp(lambda x: jnp.sin(x * f(key)), (0.3,), (1.0,))[1],
    "cond": lambda f, key: jax.lax.cond(jax.random.bernoulli(key), f, f, key),
    "while": lambda f, key: jax.lax.fori_loop(0, 3, lambda i, x: x + f(jax.random.fold_in(key, i)), jnp.zeros(SIZE)),
    "shard_map": lambda f, key: jax.shard_map(
        lambda keys: f(keys[0])[None],
        mesh=jax.make_mesh((1,), ("lane",), axis_types=(AxisType.Auto,)),
        in_specs=PartitionSpec("lane"),
        out_specs=PartitionSpec("lane"),
    )(jax.random.split(key, 1)),
}


@pytest.mark.parametrize("context", CONTEXTS)
def test_it_is_the_same_noise(key, context):
    run = CONTEXTS[context]
    np.testing.assert_allclose(run(once, key), run(normals, key), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("word", [0, 1, 2**32 - 1])
def test_it_is_made_in_one_round_whatever_the_key(word):
    key = jax.random.wrap_key_data(jnp.array([7, word], jnp.uint32))
    np.testing.assert_allclose(jax.jit(once)(key), normals(key), rtol=2e-6)


def several_readers(make):
    """Reductions of several shapes, each a pass of its own over what the noise goes into."""

    def compute(key, loc, scale):
        z = loc + jnp.exp(scale) * make(key)
        rows = jnp.sin(z).reshape(8, 6)
        return jnp.sum(jnp.sin(z)), jnp.sum(rows, 0), jnp.sum(jnp.exp(rows), 1), jnp.cumsum(z)

    compiled = jax.jit(compute).lower(jax.random.key(0), jnp.zeros(SIZE), jnp.zeros(SIZE)).compile()
    return compiled.as_text().count("log-plus-one")  # of the inverse error function


def test_xla_makes_it_once():
    assert several_readers(once) == 1
    assert several_readers(normals) > 1, "nothing is shown: XLA makes all noise once"
