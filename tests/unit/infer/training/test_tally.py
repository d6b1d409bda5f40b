"""Averages and moments that are kept step by step are those of NumPy over all steps at once."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vipl.infer.training.tally import TRACKED, Tally, count_in, tracked

START = {"loc": np.zeros(3, np.float32), "scale": np.zeros((2, 2), np.float32)}


def iterates(steps, seed=0, lanes=()):
    random = np.random.default_rng(seed)
    return {name: random.normal(3, 2, (steps, *lanes, *leaf.shape)).astype(np.float32) for name, leaf in START.items()}


@jax.jit
def counted(tally, values):
    return jax.lax.scan(lambda tally, params: (count_in(tally, params), None), tally, values)[0]


def assert_close(found, expected):
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6), found, expected)


def mean(values, first=0, last=None):
    return jax.tree.map(lambda leaf: leaf[first:last].mean(0, dtype=np.float64), values)


def flat(values):
    return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(values)], 1)


def test_an_average_is_the_mean_of_all_steps():
    values = iterates(300)
    tally = counted(Tally.of(START), values)
    assert_close(tally.average, mean(values))
    assert_close(tally.both, mean(values))
    assert int(tally.averaged) == 300


@pytest.mark.parametrize("half", [1, 70, 299])
def test_two_halves_have_their_own_means_and_one_of_both(half):
    values = iterates(300)
    early, late = (jax.tree.map(lambda leaf, part=part: leaf[part], values) for part in (slice(half), slice(half, 300)))
    tally = counted(counted(Tally.of(START), early).second_half(), late)
    assert_close(tally.early, mean(values, 0, half))
    assert_close(tally.average, mean(values, half))
    assert_close(tally.both, mean(values))
    if half != 150:
        wrong = dataclasses.replace(tally, early_steps=tally.averaged)  # halves of equal weight
        apart = jax.tree.map(lambda one, other: np.abs(one - other).max(), wrong.both, mean(values))
        assert max(jax.tree.leaves(apart)) > 1e-3


def test_an_average_begun_anew_forgets():
    values = iterates(100)
    before = counted(counted(Tally.of(START), iterates(50, seed=1)).second_half(), iterates(9, seed=2))
    tally = counted(before.average_anew(), values)
    assert_close(tally.both, mean(values))


def test_a_window_has_the_moments_of_its_steps():
    values = iterates(200)
    before = counted(Tally.of(START), iterates(50, seed=1))
    tally = counted(before.next_window(), values)
    assert int(tally.seen) == 200
    np.testing.assert_allclose(tally.mean, flat(values).mean(0), rtol=1e-5)
    np.testing.assert_allclose(tally.square / tally.seen, flat(values).var(0), rtol=1e-4)
    assert int(tally.averaged) == 250, "the average goes on"


def test_lanes_are_averaged_each_by_itself():
    values = iterates(60, lanes=(2,))
    start = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), Tally.of(START))
    run = jax.vmap(lambda tally, values: jax.lax.scan(lambda t, p: (count_in(t, p), None), tally, values)[0], (0, 1))
    early, late = (jax.tree.map(lambda leaf, part=part: leaf[part], values) for part in (slice(20), slice(20, 60)))
    tally = run(run(start, early).second_half(), late)
    assert_close(tally.both, mean(values))


@pytest.mark.parametrize("sizes", [(3, 4), (999, 1), (1000, 1), (7, 1990, 3), (1, 1, 5000), (TRACKED * 10 + 1,)])
def test_the_numbers_that_are_watched_are_spread_evenly(sizes):
    everything = np.arange(sum(sizes), dtype=np.float32)
    parts = np.split(everything, np.cumsum(sizes)[:-1])
    found = np.asarray(tracked({f"p{i}": part for i, part in enumerate(parts)}))
    assert len(found) <= TRACKED
    np.testing.assert_array_equal(found, everything[:: -(-len(everything) // TRACKED)])


def test_no_numbers_are_none_to_watch():
    assert tracked({}).shape == (0,)
    assert Tally.of({}).mean.shape == (0,)
