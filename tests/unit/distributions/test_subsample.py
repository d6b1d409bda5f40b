"""Subsampling without replacement: exact properties. Uniformity is in the statistical tests."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vipl._core.errors import ShapeError
from vipl.distributions.subsample import SORTED_UP_TO, _grid, subsample_indices

SIZES = [
    (1, 1),
    (1, 0),
    (5, 0),
    (7, 7),
    (SORTED_UP_TO, 10),
    (SORTED_UP_TO + 1, SORTED_UP_TO + 1),
    (997, 997),
    (1000, 31),
]


@pytest.mark.parametrize(("size", "number"), [*SIZES, (10**6, 1024), (2**31 - 1, 100)])
def test_indices_are_distinct_and_in_range(size, number, key):
    indices = np.asarray(jax.jit(lambda k: subsample_indices(k, size, number))(key))
    assert indices.shape == (number,)
    assert indices.dtype == np.int32
    assert np.unique(indices).size == number
    assert np.all((indices >= 0) & (indices < size))


def test_another_key_gives_another_choice(key):
    first, second = (subsample_indices(k, 10**6, 64) for k in jax.random.split(key))
    assert np.intersect1d(first, second).size < 4
    np.testing.assert_array_equal(first, subsample_indices(jax.random.split(key)[0], 10**6, 64))


@pytest.mark.parametrize(("size", "number"), [(12, 4), (SORTED_UP_TO, 32), (SORTED_UP_TO + 1, 43), (1000, 125)])
def test_starts_in_turn_go_through_the_whole_population(size, number, key):
    starts = np.arange(0, size, number)

    @jax.jit
    def found(starts):
        in_turn = jax.vmap(lambda start: subsample_indices(key, size, number, start))(starts)
        return in_turn, subsample_indices(key, size, 2 * number), subsample_indices(key, size, number, number)

    in_turn, two, second = found(starts)
    np.testing.assert_array_equal(np.sort(in_turn, axis=None), np.arange(size))
    np.testing.assert_array_equal(np.ravel(in_turn[:2]), two)
    np.testing.assert_array_equal(in_turn[1], second)


@pytest.mark.parametrize(("size", "number"), [(3, 4), (3, -1), (2**31, 1)])
def test_impossible_requests_are_refused(size, number, key):
    with pytest.raises(ShapeError, match="without replacement"):
        subsample_indices(key, size, number)


def test_under_vmap_and_scan(key):
    keys = jax.random.split(key, 3)
    apart = np.stack([subsample_indices(k, 1003, 40) for k in keys])
    together = jax.vmap(lambda k: subsample_indices(k, 1003, 40))(keys)
    scanned = jax.lax.scan(lambda c, k: (c, subsample_indices(k, 1003, 40)), 0, keys)[1]
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_array_equal(scanned, apart)


def test_nothing_has_the_size_of_the_population(key):
    jaxpr = jax.make_jaxpr(lambda k: subsample_indices(k, 10**6, 64))(key)

    def largest(jaxpr):
        sizes = [v.aval.size for eqn in jaxpr.eqns for v in eqn.outvars if hasattr(v.aval, "size")]
        for eqn in jaxpr.eqns:
            for p in eqn.params.values():
                inner = getattr(p, "jaxpr", p)
                sizes += [largest(inner)] if hasattr(inner, "eqns") else []
        return max(sizes, default=0)

    assert largest(jaxpr.jaxpr) <= 64


@pytest.mark.parametrize("size", [129, 1000, 10**6 + 1, 1_000_003, 2**31 - 1])
def test_the_grid_holds_the_population_with_little_to_spare(size):
    height, width = _grid(size)
    assert size <= height * width < 2**32
    assert height * width - size <= max(4, size * 1e-3)


def test_double_precision_does_not_change_the_type(x64, key):
    assert subsample_indices(key, 1000, 10).dtype == jnp.int32
