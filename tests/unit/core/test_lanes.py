"""jax.vmap over sites: what would share a draw, or run both branches, is refused at every depth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist

LANES = jnp.arange(3.0)


def draw(loc=0.0, address="q"):
    return vipl.sample(address, dist.Normal(loc, 1.0))


def simulate(body):
    return vipl.simulate(vipl.program(body)(), jax.random.key(0))


@vipl.program
def pair(loc):
    return draw(loc, "a") + draw(loc, "b")


SHARED = {
    "bare": lambda x: draw() + x,
    "jit": lambda x: jax.jit(draw)() + x,
    "jit with an argument of all lanes": lambda x: jax.jit(draw)(1.0) + x,
    "checkpoint": lambda x: jax.checkpoint(draw)(1.0) + x,
    "scan": lambda x: lax.scan(lambda c, _: (draw(c), None), 0.0, None, length=2)[0] + x,
    "fori_loop": lambda x: lax.fori_loop(0, 2, lambda i, c: draw(c), 0.0) + x,
    "while": lambda x: lax.while_loop(lambda c: c < 1, draw, 0.0) + x,
    "cond": lambda x: lax.cond(jnp.ones(()) > 0, draw, lambda: 0.0) + x,
    "outer lanes only": lambda x: jax.vmap(lambda y: draw(x) + y)(LANES),
    "inner lanes only": lambda x: jax.vmap(draw)(LANES) + x,
    "vipl.vmap inside": lambda x: vipl.vmap(draw, axis_size=2)() + x,
    "vipl.vmap inside, batched": lambda x: vipl.vmap(draw)(LANES) + x,
    "nested program": lambda x: vipl.sample("n", pair(0.0)) + x,
    "nested program, conditioned": lambda x: vipl.sample("n", pair(0.0) | {"b": 1.0}) + x,
    "scope and plate": lambda x: _in_plate() + x,
}


def _in_plate():
    with vipl.scope("s"), vipl.plate("p", 2):
        return draw()


@pytest.mark.parametrize("name", SHARED)
def test_a_draw_that_lanes_would_share_is_refused(name):
    with pytest.raises(vipl.RandomnessError, match="all lanes would share one draw"):
        simulate(lambda: jax.vmap(SHARED[name])(LANES))


@pytest.mark.parametrize("name", [name for name in SHARED if name != "outer lanes only"])
def test_vipl_vmap_takes_the_same_function(name):
    trace = simulate(lambda: vipl.vmap(SHARED[name])(LANES))
    for values in trace.choices.values():
        assert values.shape[0] == len(LANES)
        assert np.unique(values).size == values.size


def test_a_subsample_that_lanes_would_share_is_refused():
    def lane(x):
        with vipl.plate("few", 10, subsample_size=2) as index:
            return index + x

    with pytest.raises(vipl.RandomnessError, match="plate 'few'"):
        simulate(lambda: jax.vmap(lane)(LANES))


def test_what_is_observed_may_be_shared():
    def lane(x):
        vipl.sample("y", dist.Normal(0.0, 1.0), obs=1.0)
        vipl.factor("f", 2.0)
        vipl.deterministic("d", 3.0)
        return x

    trace = simulate(lambda: jax.vmap(lane)(LANES))
    assert trace["y"].shape == trace["d"].shape == (3,)
    np.testing.assert_allclose(trace.log_density, 3 * (-0.5 - 0.5 * np.log(2 * np.pi)) + 6.0, rtol=1e-6)


DISSOLVED = {
    "cond": lambda x: lax.cond(x > 1, lambda: draw(x), lambda: 0.0),
    "cond with two sites": lambda x: lax.cond(x > 1, lambda: draw(x), lambda: draw(-x, "r")),
    "switch": lambda x: lax.switch(jnp.int32(x), [lambda: 0.0, lambda: draw(x), lambda: 1.0]),
    "in jit": jax.jit(lambda x: lax.cond(x > 1, lambda: draw(x), lambda: 0.0)),
    "jit inside": lambda x: lax.cond(x > 1, jax.jit(draw), lambda y: y, x),
    "in scan": lambda x: lax.scan(lambda c, _: (lax.cond(c > 1, draw, lambda z: z, c), 0.0), x, None, length=2)[0],
    "of an outer lane": lambda x: jax.vmap(lambda y: lax.cond(x > 1, lambda: draw(x + y), lambda: 0.0))(LANES),
    "of an inner lane": lambda x: jax.vmap(lambda y: lax.cond(y > 1, lambda: draw(x + y), lambda: 0.0))(LANES),
    "factor": lambda x: lax.cond(x > 1, lambda: vipl.factor("q", x), lambda: None),
    "constant factor": lambda x: lax.cond(x > 1, lambda: vipl.factor("q", 1.0), lambda: None),
    "observed": lambda x: lax.cond(x > 1, lambda: vipl.sample("q", dist.Normal(0.0, 1.0), obs=1.0), lambda: 0.0),
    "nested program": lambda x: lax.cond(x > 1, lambda: vipl.sample("n", pair(x) | {"b": 1.0}), lambda: 0.0),
}


@pytest.mark.parametrize("name", DISSOLVED)
def test_a_branch_that_lanes_take_or_not_is_refused(name):
    simulate(lambda: vipl.vmap(DISSOLVED[name])(LANES)) if "lane" not in name else None
    with pytest.raises(vipl.ProgramError, match="is in a branch whose predicate differs between the lanes"):
        simulate(lambda: jax.vmap(DISSOLVED[name])(LANES))


def test_a_cached_block_does_not_hide_a_dissolved_branch():
    """The block is traced first where nothing is wrong; the trace cache must not excuse the rest."""

    @jax.jit
    def block(x):
        return draw(x)

    def body():
        with vipl.scope("top"):
            block(0.0)
        with vipl.scope("lanes"):
            jax.vmap(block)(LANES)
        return jax.vmap(lambda x: lax.cond(x > 1, block, lambda y: y, x))(LANES)

    with pytest.raises(vipl.ProgramError, match="predicate differs between the lanes"):
        simulate(body)


def test_lanes_of_nested_programs_are_no_branches():
    @vipl.program
    def inner():
        return jax.vmap(draw)(LANES)

    trace = simulate(lambda: vipl.sample("n", inner() | {"q": LANES}))
    assert trace["n/q"].shape == (3,)


def test_an_inlined_jit_is_never_wrong():
    """Where JAX inlines while it stages, no equation is left to count: refused, as a dissolved branch would be."""
    inlined = jax.make_jaxpr(jax.jit(jnp.sin, inline=True))(0.0)
    lanes = jax.vmap(jax.jit(draw, inline=True))
    if [eqn.primitive.name for eqn in inlined.jaxpr.eqns] == ["sin"]:
        with pytest.raises(vipl.ProgramError, match="predicate differs between the lanes"):
            simulate(lambda: lanes(LANES))
    else:
        values = simulate(lambda: lanes(LANES))["q"]
        assert np.unique(values).size == len(LANES)
