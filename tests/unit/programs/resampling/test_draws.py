"""Draws of ancestors: their frequencies, in range and possible at any size, in batches, under jit and vmap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unit.programs.resampling.reference import log_weights, vectors

from vipl.programs.resampling import SCHEMES, SystematicAncestors
from vipl.programs.resampling.cells import cells_of
from vipl.programs.resampling.multinomial import MultinomialAncestors

pytestmark = pytest.mark.usefixtures("quick_compilation")

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)


def check_frequencies(draws, values, probabilities):
    """Check that each value is drawn as often as it must, to 4.5 standard errors, and nothing else."""
    size = values.max() + 1
    place = size ** np.arange(values.shape[-1])
    counts = np.bincount(draws @ place, minlength=(values @ place).max() + 1)[values @ place]
    assert counts.sum() == len(draws)
    assert not counts[probabilities < 1e-6].any()
    error = np.sqrt(probabilities * (1 - probabilities) / len(draws))
    excess = np.abs(counts / len(draws) - probabilities) - 4.5 * error - 1e-6
    assert excess.max() <= 0, f"{values[excess.argmax()]}"


def with_slots(size):
    every = vectors(size)
    return np.concatenate([np.concatenate([every, np.full((len(every), 1), k)], -1) for k in range(size)])


def frequencies(law, values, key, num_draws=40_000):
    draws = jax.jit(lambda key: law.sample(key, (num_draws,)))(key)
    check_frequencies(np.asarray(draws), values, np.exp(np.asarray(law.log_prob(values), float)))


@pytest.mark.statistical
@SCHEME
@pytest.mark.parametrize("case", ["three", "four", "one without weight"])
def test_ancestors_are_as_frequent_as_probable(scheme, case, key):
    x = log_weights(case)
    frequencies(SCHEMES[scheme].law(x), vectors(len(x)), key)


@pytest.mark.statistical
@SCHEME
@pytest.mark.parametrize("retained", [0, 2, 3])
def test_retained_ancestors_are_as_frequent_as_probable(scheme, retained, key):
    frequencies(SCHEMES[scheme].conditional(log_weights("one without weight"), retained), with_slots(4), key)


@pytest.mark.statistical
def test_the_frequencies_of_another_law_are_seen(key):
    x = log_weights("four")
    for law, score in ((SystematicAncestors, MultinomialAncestors), (SystematicAncestors, SCHEMES["stratified"].law)):
        draws = np.asarray(law(x).sample(key, (40_000,)))
        with pytest.raises(AssertionError):
            check_frequencies(draws, vectors(4), np.exp(np.asarray(score(x).log_prob(vectors(4)), float)))


KINDS = ["alike", "equal", "uneven", "one dominates", "many without weight", "far down"]


def difficult(size, key):
    """Return log weights, `(kinds, size)`, that rounding makes trouble for."""
    x = jax.random.normal(key, (size,))
    half = jnp.where(x > 0, x, -jnp.inf).at[size // 2].set(0.0)
    return jnp.stack([1e-3 * x, 0 * x, 8 * x, x.at[size // 3].add(60.0), half, 3 * x - 1e4])


@SCHEME
def test_a_thousand_particles(scheme, key):
    """What is drawn in one way is possible in another: by batches under jit, one by one eagerly."""
    x = difficult(1000, key)
    law, conditional = SCHEMES[scheme].law, SCHEMES[scheme].conditional
    draws = jax.jit(lambda x, key: law(x).sample(key, (25,)))(x, key)
    retained = draws[0, :, 700]
    joint = jax.jit(lambda x, key: conditional(x, retained).sample(key, (25,)))(x, key)
    for values, score in (
        (draws, lambda x, a, v: law(x).log_prob(v)),
        (joint, lambda x, a, v: conditional(x, a).log_prob(v)),
    ):
        ancestors = values[..., :1000]
        assert values.min() >= 0
        assert values.max() < 1000
        assert np.all(np.take_along_axis(np.broadcast_to(x, ancestors.shape), np.asarray(ancestors), -1) > -np.inf)
        both = jax.jit(jax.value_and_grad(lambda x, v, score=score: jnp.sum(score(x, retained, v))))
        found, gradient = both(x, values)
        assert np.isfinite(found)
        assert np.all(np.isfinite(gradient))
        singly = [score(row, a, values[:, i]) for i, (row, a) in enumerate(zip(x, retained, strict=True))]
        np.testing.assert_allclose(np.sum(singly), found, rtol=1e-3)
    assert np.all(np.take_along_axis(joint, joint[..., -1:], -1)[..., 0] == retained)
    if scheme != "multinomial":
        counts = jax.vmap(jax.vmap(lambda a: jnp.bincount(a, length=1000)))(draws)
        assert np.all(np.abs(counts - 1000 * jax.nn.softmax(x)) < (1 if scheme == "systematic" else 2) + 1e-3)
        assert np.all(np.diff(draws) >= 0)


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 70_000])
def test_cells_end_where_they_must(size, key):
    x = difficult(size, key)
    cells = cells_of(x)
    edges = np.asarray(cells.whole, np.int64) * cells.unit + np.asarray(cells.part, np.int64)
    assert np.all(edges[:, 0] == 0)
    assert np.all(edges[:, -1] == size * cells.unit)
    assert np.all((np.diff(edges) > 0) == (np.asarray(x) > -np.inf))
    exact = np.exp(np.float64(x) - np.max(np.float64(x), -1, keepdims=True))
    exact = size * np.cumsum(exact, -1) / np.sum(exact, -1, keepdims=True)
    error = np.abs(edges[:, 1:] / cells.unit - exact).max(-1)
    # the longest cell is rounded to float32, and those too short to see have two units
    assert error.max() < 1.5e-7 * size + 1e-6
    if size == 1000:
        assert error[KINDS.index("alike")] < 1e-5  # in float32 the last rounding alone makes 3e-5


def test_a_length_that_rounding_closed_counts_as_one_unit():
    cells = cells_of(jnp.zeros(4))
    units, moved = jnp.array([3, 0, -2, -1000]), jnp.zeros(4)
    found, gradient = jax.jvp(lambda moved: cells.log_length(units, moved), [moved], [jnp.ones(4)])
    np.testing.assert_allclose(np.exp(found) * cells.unit, [3, 1, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(gradient, [cells.unit / 3, 0, 0, 0], rtol=1e-6)


@pytest.mark.parametrize("scheme", ["stratified", "systematic"])
def test_a_retained_particle_of_hardly_any_weight(scheme, key):
    """Its cell is shorter than the rounding of its edges, and yet the position is in it, and nothing is NaN or huge."""
    x = jnp.array([0.3, -0.2, 0.0, 0.5, 0.1]) + jnp.eye(5)[2] * jnp.array([[-5.0], [-20.0], [-60.0], [-1000.0]])

    def draw(x):
        law = SCHEMES[scheme].conditional(x, 2)
        draws = law.sample(key, (200,))
        gradient = jax.vmap(jax.grad(lambda x, v: SCHEMES[scheme].conditional(x, 2).log_prob(v)), (None, 0))(x, draws)
        return draws, law.log_prob(draws), gradient

    draws, found, gradient = jax.jit(jax.vmap(draw))(x)
    assert np.all(np.take_along_axis(draws, draws[..., -1:], -1)[..., 0] == 2)
    assert np.all(np.isfinite(found))
    assert np.abs(gradient).max() < 20
    if scheme == "systematic":  # one vector, for certain, but for the first
        assert np.all(found[1:] == 0)
        assert np.all(gradient[1:] == 0)


@pytest.mark.parametrize("scheme", ["stratified", "systematic"])
@pytest.mark.parametrize("size", [3, 49, 1000])  # N·(1/N) is not 1 in float32 for all of them
def test_equal_weights_leave_all_as_it_is(scheme, size, key):
    law = SCHEMES[scheme].law(jnp.full(size, 0.3))
    assert np.all(law.sample(key) == np.arange(size))
    assert law.log_prob(jnp.arange(size)) == 0


@SCHEME
def test_batches_by_shape_and_by_vmap(scheme, key):
    x = jax.random.normal(key, (2, 3, 5))
    law, conditional = SCHEMES[scheme].law, SCHEMES[scheme].conditional
    draws = law(x[0]).sample(key, (7, 2))
    assert draws.shape == (7, 2, 3, 5)
    assert draws.dtype == jnp.result_type(int)
    assert law(x).log_prob(draws).shape == (7, 2, 3)
    assert law(x).log_prob(draws[0, 0, 0]).shape == (2, 3)
    together = jax.jit(jax.vmap(jax.vmap(lambda x, v: law(x).log_prob(v))))(x, draws[0])
    np.testing.assert_allclose(together, law(x).log_prob(draws[0]), rtol=1e-5)
    wide, one = law(x[0, 0]).expand([7, 2]), law(x[0, 0])
    np.testing.assert_allclose(wide.log_prob(draws[:, :, 0]), one.log_prob(draws[:, :, 0]))
    assert law(x[0, 0], jnp.array([True, False])).sample(key).shape == (2, 5)
    retained = jnp.array([0, 4, 2])
    assert conditional(x, retained, jnp.array([[True], [False]])).sample(key, (6,)).shape == (6, 2, 3, 6)
    joint = jax.jit(jax.vmap(lambda key, x, a: conditional(x, a).sample(key)))(jax.random.split(key, 3), x[0], retained)
    assert np.all(np.take_along_axis(joint, joint[:, -1:], -1)[:, 0] == retained)
    assert conditional(x[0, 0], retained).log_prob(joint).shape == (3,)


@SCHEME
def test_one_particle(scheme, key):
    x = jnp.array([2.0])
    law, conditional = SCHEMES[scheme].law(x), SCHEMES[scheme].conditional(x, 0)
    for d in (law, conditional):
        draws = d.sample(key, (3,))
        assert np.all(draws == 0)
        assert np.all(d.log_prob(draws) == 0)


@SCHEME
def test_what_numpyro_is_told(scheme):
    law = SCHEMES[scheme].law(jnp.array([0.0, -jnp.inf, 1.0]), validate_args=True)
    assert law.is_discrete
    assert not law.has_enumerate_support
    assert law.event_dim == 1
    assert law.support(jnp.array([[0, 1, 2], [0, 3, 1]])).tolist() == [True, False]
    with pytest.warns(UserWarning, match="Out-of-support"):
        assert law.log_prob(jnp.array([0, 3, 1])) == -jnp.inf
    leaves, structure = jax.tree.flatten(law)
    assert len(leaves) == 2
    assert jax.tree.unflatten(structure, leaves).event_shape == (3,)
    for wrong in ([jnp.nan, 0.0], [jnp.inf, 0.0], [-jnp.inf, -jnp.inf]):
        with pytest.raises(ValueError, match="log_weights"):
            SCHEMES[scheme].law(jnp.array(wrong), validate_args=True)
