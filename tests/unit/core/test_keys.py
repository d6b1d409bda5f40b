"""Keys of steps and streams: all different, and what is drawn by them is independent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vipl._core.keys import numbered, stream

KEY = jax.random.key(3)
STEPS, STREAMS = 20_000, 3


def as_stream_does(key, number):
    """A wrong twin: numbers mixed in as `stream` does, so that step 0, stream 1 is step 1, stream 0."""
    data = jax.random.key_data(key)
    words = (jnp.arange(2, dtype=jnp.uint32) + 1) * jnp.uint32(0x9E3779B9)
    return jax.random.wrap_key_data(data ^ (words * (2 * jnp.asarray(number).astype(jnp.uint32) + 1)))


def count_different(of_step, impl=None) -> int:
    """Return how many of the keys of steps, and of their streams, are different."""
    keys = jax.vmap(lambda step: of_step(jax.random.key(3, impl=impl), step))(jnp.arange(STEPS))
    streams = [jax.vmap(lambda key, n=n: stream(key, n))(keys) for n in range(STREAMS)]
    data = np.concatenate([np.asarray(jax.random.key_data(some)) for some in [keys, *streams]])
    return len(np.unique(data, axis=0))


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_keys_of_steps_and_streams_are_all_different(impl):
    assert count_different(numbered, impl) == STEPS * (1 + STREAMS)


def test_mixing_both_in_alike_would_repeat_keys():
    assert count_different(as_stream_does) < STEPS * (1 + STREAMS)


def test_a_key_is_the_same_under_transformations():
    steps = jnp.arange(5, dtype=jnp.int32)
    data = [jax.random.key_data(numbered(KEY, int(step))) for step in steps]
    assert (jax.random.key_data(jax.vmap(lambda step: numbered(KEY, step))(steps)) == np.stack(data)).all()
    assert (jax.random.key_data(jax.jit(numbered)(KEY, jnp.int32(3))) == data[3]).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_draws_of_steps_are_independent(seed):
    """Moments of each, and correlations of steps that are near, of the streams of one, and of other fits."""
    key = jax.random.key(seed)

    def draws(key, streams):
        keys = jax.vmap(lambda step: stream(numbered(key, step), streams))(jnp.arange(STEPS))
        return np.asarray(jax.vmap(lambda key: jax.random.normal(key, (4,)))(keys), np.float64)

    x, other_stream, other_fit = draws(key, 0), draws(key, 1), draws(jax.random.key(seed + 1), 0)
    limit = 4.5 / np.sqrt(STEPS)
    assert np.abs(x.mean(0)).max() < limit
    assert np.abs((x**2).mean(0) - 1).max() < np.sqrt(2) * limit
    for one, another in ((x[1:], x[:-1]), (x[2:], x[:-2]), (x[1024:], x[:-1024]), (x, other_stream), (x, other_fit)):
        assert np.abs(one.T @ another / len(one)).max() < 4.5 / np.sqrt(len(one))
