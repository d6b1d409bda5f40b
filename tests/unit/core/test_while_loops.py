"""Sites in a while_loop: they can be drawn, whatever stands around or inside, and have no density."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist


def draw(loc):
    return vipl.sample("z", dist.Normal(loc, 1.0))


def rounds(body, start=0.0, count=3):
    """Collect the values of `count` rounds; `body` maps the last value to the next."""

    def step(state):
        i, value, values = state
        value = body(value)
        return i + 1, value, values.at[i].set(value)

    return lax.while_loop(lambda state: state[0] < count, step, (0, start, jnp.zeros(count)))[2]


BODIES = {
    "site": draw,
    "site of another kind": lambda c: vipl.sample("z", dist.Gamma(1.0 + c**2, 1.0)),
    "jit": lambda c: jax.jit(draw)(c),
    "checkpoint": lambda c: jax.checkpoint(draw)(c),
    "cond": lambda c: lax.cond(c > 0.0, draw, lambda x: vipl.sample("w", dist.Normal(x, 2.0)), c),
    "scan": lambda c: lax.scan(lambda a, _: (draw(a), 0.0), c, None, length=2)[0],
    "jax.vmap": lambda c: jax.vmap(lambda x: draw(x + c))(jnp.arange(2.0)).sum(),
    "vipl.vmap": lambda c: vipl.vmap(lambda: draw(c), axis_size=2)().sum(),
    "while": lambda c: rounds(draw, c, 2).sum(),
    "subsample": lambda c: _subsample(c),
    "conditioned program": lambda c: vipl.sample("n", _pair(c) | {"w": 0.5}),
}


def _subsample(c):
    with vipl.plate("few", 1000, subsample_size=2) as index:
        return c + index.sum()


@vipl.program
def _pair(c):
    return draw(c) + vipl.sample("w", dist.Normal(c, 1.0))


def runs(body):
    return np.asarray(
        jax.vmap(lambda key: vipl.simulate(vipl.program(body)(), key).value)(jax.random.split(jax.random.key(0), 5))
    )


@pytest.mark.parametrize("name", BODIES)
def test_every_round_draws_anew(name):
    values = runs(lambda: rounds(BODIES[name]))
    assert np.unique(np.diff(values, axis=1)).size == values.shape[0] * (values.shape[1] - 1)
    assert np.unique(values).size == values.size


AROUND = {
    "jit": lambda: jax.jit(lambda: rounds(draw))(),
    "scan": lambda: lax.scan(lambda c, _: (c, rounds(draw)), 0.0, None, length=2)[1],
    "vipl.vmap": lambda: vipl.vmap(lambda: rounds(draw), axis_size=2)(),
    "jax.vmap": lambda: jax.vmap(lambda x: rounds(lambda c: draw(c + x)))(jnp.arange(2.0)),
    "cond": lambda: lax.cond(jnp.ones(()) > 0, lambda: rounds(draw), lambda: jnp.zeros(3)),
    "scan of vipl.vmap": lambda: lax.scan(
        lambda c, _: (c, vipl.vmap(lambda: rounds(draw), axis_size=2)()), 0.0, None, length=2
    )[1],
}


@pytest.mark.parametrize("name", AROUND)
def test_loops_inside_of_constructs_draw_apart(name):
    values = runs(AROUND[name])
    assert np.unique(values).size == values.size


@pytest.mark.statistical
def test_rounds_follow_their_law(key):
    """A walk of three standard normal steps has variances 1, 2, 3."""
    walk = vipl.program(lambda: rounds(draw))()
    values = np.asarray(jax.jit(jax.vmap(lambda k: vipl.simulate(walk, k).value))(jax.random.split(key, 4000)))
    steps = np.diff(values, axis=1, prepend=0.0)
    z = (steps.T @ steps / len(steps) - np.eye(3)) * np.sqrt(len(steps)) / np.sqrt(1 + np.eye(3))
    assert np.abs(z).max() < 4.5


def test_lanes_stop_when_they_are_done():
    """Under jax.vmap a lane whose predicate is false keeps its value while others go on."""

    def lane(start):
        return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, draw(s[1]) + 100.0), (start, 0.0 * start))

    rounds_done, values = vipl.simulate(vipl.program(lambda: jax.vmap(lane)(jnp.arange(5)))(), jax.random.key(0)).value
    np.testing.assert_array_equal(rounds_done, [3, 3, 3, 3, 4])
    np.testing.assert_allclose(values, [300, 200, 100, 0, 0], atol=20)
    assert values[3] == 0


def test_there_is_no_density():
    program = vipl.program(lambda: rounds(draw))()
    trace = vipl.simulate(program, jax.random.key(0))
    assert "log_density none" in repr(trace)
    with pytest.raises(vipl.DensityError, match="while_loop"):
        trace.log_density  # noqa: B018
    with pytest.raises(vipl.DensityError, match="site 'z' is inside a while_loop"):
        vipl.log_density(program, {})


def test_a_site_in_the_predicate_is_refused():
    with pytest.raises(vipl.ProgramError, match="in the predicate"):
        vipl.simulate(
            vipl.program(lambda: lax.while_loop(lambda c: draw(c) < 0, lambda c: c, 0.0))(), jax.random.key(0)
        )


def test_a_site_can_be_set_for_all_rounds():
    program = vipl.do(vipl.program(lambda: rounds(draw))(), {"z": 2.0})
    np.testing.assert_array_equal(vipl.simulate(program, jax.random.key(0)).value, [2.0, 2.0, 2.0])
