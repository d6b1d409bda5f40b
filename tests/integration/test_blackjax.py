"""BlackJAX's NUTS on `vipl.log_density_fn` draws from the posteriors whose reference draws are known."""

import blackjax
import jax
import jax.numpy as jnp
import pytest
from example_folders import posteriors

import vipl
from vipl.demo.comparison import by_element, compare

CHAINS, WARMUP, DRAWS = 4, 600, 1500
CLOSE, SPREAD = 0.12, (0.88, 1.12)  # of reference sds: four chains have a standard error of about 0.02


@pytest.fixture(scope="module")
def example():
    """The posteriors' programs, and what is known of them."""
    return posteriors()


def nuts(fn, key, model, doublings=8):
    """Return draws of all values in the model, also of those that are computed, `(CHAINS * DRAWS, …)`."""

    def chain(key):
        key_start, key_warmup, key_run = jax.random.split(key, 3)
        warmup = blackjax.window_adaptation(blackjax.nuts, fn, max_num_doublings=doublings)
        (state, parameters), _ = warmup.run(key_warmup, fn.initial(key_start), num_steps=WARMUP)
        step = blackjax.nuts(fn, **parameters).step

        def move(state, key):
            state, _ = step(key, state)
            trace = vipl.simulate(model | fn.constrain(state.position), key)
            return state, trace.choices | trace.observed | trace.deterministics

        return jax.lax.scan(move, state, jax.random.split(key_run, DRAWS))[1]

    draws = jax.jit(jax.vmap(chain))(jax.random.split(key, CHAINS))
    return jax.tree.map(lambda leaf: leaf.reshape(CHAINS * DRAWS, *leaf.shape[2:]), draws)


def is_right(draws, known):
    rows = [compare(by_element(draws)[name], row) for name, row in known.items() if name in by_element(draws)]
    assert len(rows) > 2
    return all(abs(row.difference) < CLOSE and SPREAD[0] < row.spread < SPREAD[1] for row in rows)


@pytest.mark.parametrize("name", ["kidscore", "garch", "eight_schools_noncentered"])
def test_nuts_reproduces_the_reference(example, name, key):
    model = example["POSTERIORS"][name].model()
    draws = nuts(vipl.log_density_fn(model), key, model)
    known = example["read"](name)
    assert is_right(draws, known["reference"])
    assert is_right(draws, known.get("exact", known["reference"]))


def test_a_density_without_its_jacobian_is_rejected(example, key):
    model = example["POSTERIORS"]["eight_schools_noncentered"].model()
    fn = vipl.log_density_fn(model)

    class Without:
        initial, constrain = staticmethod(fn.initial), staticmethod(fn.constrain)

        def __call__(self, position):
            return vipl.log_density(model, fn.constrain(position))

    assert not is_right(nuts(Without(), key, model, 4), example["read"]("eight_schools_noncentered")["reference"])
    assert jnp.isfinite(fn(fn.initial(key)))
