"""The maximum mean discrepancy: pair by pair, by hand."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
from vipl import objectives


def by_hand(x, y, bandwidth):
    def kernel(rows, others, pairs):
        values = [
            np.exp(-0.5 * np.sum((rows[i, a] - others[j, b]) ** 2) / bandwidth**2)
            for i, j in pairs
            for a, b in itertools.product(range(rows.shape[1]), range(others.shape[1]))
        ]
        return np.mean(values)

    different = [itertools.permutations(range(len(rows)), 2) for rows in (x, y)]
    every = itertools.product(range(len(x)), range(len(y)))
    return kernel(x, x, different[0]) + kernel(y, y, different[1]) - 2 * kernel(x, y, every)


@pytest.mark.parametrize("event", [(), (2,), (2, 3)])
def test_pair_by_pair(event, key):
    x, y = (jax.random.normal(k, (count, 2, *event)) for k, count in zip(jax.random.split(key), (3, 4), strict=True))
    found = objectives.squared_mmd(x, y, 1.3)
    np.testing.assert_allclose(found, by_hand(np.asarray(x, float), np.asarray(y, float), 1.3), rtol=1e-5)


@pytest.mark.parametrize(("x", "y"), [((2,), (2,)), ((1, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 3, 4), (2, 3))])
def test_shapes_that_are_refused(x, y):
    with pytest.raises(vipl.ShapeError, match=r"must be \(num_draws, size, \*event\)") as caught:
        objectives.squared_mmd(jnp.ones(x), jnp.ones(y), 1.0)
    assert __file__ in str(caught.value.where)


def test_codes_that_the_guide_has_not(key):
    @vipl.program
    def program():
        vipl.sample("code", vipl.distributions.Normal(0.0, 1.0))

    with pytest.raises(vipl.AddressError, match="no site 'codes' for the codes. Did you mean 'code'") as caught:
        objectives.info_vae("codes", 1.0, 1.0)(key, program(), program())
    assert __file__ in str(caught.value.where)
