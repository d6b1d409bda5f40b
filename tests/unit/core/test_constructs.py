"""The interpreter: which constructs it looks into, and what it says of the others."""

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.sharding import PartitionSpec

import vipl
import vipl.distributions as dist
from vipl._core.constructs import CONSTRUCTS


def staged(body):
    return vipl.program(body)().stage()


def draw(loc=0.0):
    return vipl.sample("q", dist.Normal(loc, 1.0))


def in_linear_solve():
    return lax.custom_linear_solve(lambda x: x + 0 * draw(x[0]), jnp.ones(2), lambda matvec, b: b)


def in_shard_map():
    mesh = jax.make_mesh((1,), ("i",))
    everywhere = PartitionSpec()
    return jax.shard_map(draw, mesh=mesh, in_specs=everywhere, out_specs=everywhere)(jnp.ones(2))


def in_reduction():
    return lax.reduce(jnp.ones(3), 0.0, lambda a, b: a + b + 0 * draw(a), (0,))


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (in_linear_solve, "custom_linear_solve"),
        (in_shard_map, "shard_map"),
        (in_reduction, "reduce"),
        (lambda: lax.scan(lambda c, x: (in_reduction(), x), 0.0, jnp.ones(2)), "reduce"),
    ],
)
def test_a_site_in_an_unknown_construct_is_named(body, name):
    with pytest.raises(vipl.ProgramError, match=rf"site 'q' is inside {name}, which") as caught:
        staged(body)
    assert f"{__file__}:{draw.__code__.co_firstlineno + 1} in draw" in str(caught.value)


def test_unknown_constructs_without_sites_are_left_alone():
    def body():
        x = vipl.sample("x", dist.Normal(jnp.ones(2), 1.0))
        solved = lax.custom_linear_solve(lambda v: 2.0 * v, x, lambda matvec, b: b / 2.0)
        root = lax.custom_root(lambda v: v**3 - 8.0, 1.0, lambda f, v: v + 1.0, lambda g, y: y / g(1.0))
        callback = jax.pure_callback(lambda v: v, jax.ShapeDtypeStruct((2,), solved.dtype), solved)
        return callback + root

    program = vipl.program(body)()
    trace = vipl.simulate(program, jax.random.key(0))
    assert jnp.allclose(trace.value, trace["x"] / 2 + 2.0)


def test_the_table_has_a_rule_for_each_construct_that_programs_use():
    """Sites are found inside of every construct of the table that this JAX still makes."""
    with_jvp = jax.custom_jvp(draw)
    with_jvp.defjvp(lambda primals, tangents: (with_jvp(*primals), tangents[0]))
    with_vjp = jax.custom_vjp(draw)
    with_vjp.defvjp(lambda x: (with_vjp(x), None), lambda _, g: (g,))
    bodies = [
        lambda: jax.jit(draw)(0.0),
        lambda: jax.checkpoint(draw)(0.0),
        lambda: with_jvp(0.0),
        lambda: with_vjp(0.0),
        lambda: lax.scan(lambda c, _: (draw(c), None), 0.0, None, length=2),
        lambda: lax.cond(jnp.ones(()) > 0, draw, lambda x: x, 0.0),
        lambda: lax.while_loop(lambda x: x < 0, draw, 0.0),
        lambda: vipl.vmap(draw)(jnp.zeros(2)),
    ]
    used = set()
    for body in bodies:
        program = staged(body)
        assert [located.statement.address for located in program.statements] == ["q"]
        used.add(program.jaxpr.eqns[program.statements[0].path[0]].primitive.name)
    assert len(used) == len(bodies)
    assert used <= set(CONSTRUCTS)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (lambda: jax.grad(draw)(0.0), vipl.ProgramError, "derivative"),
        (lambda: jax.linearize(draw, 0.0)[0], vipl.ProgramError, "derivative"),
        (lambda: jax.grad(lambda x: vipl.vmap(draw)(x).sum())(jnp.ones(2)), vipl.ProgramError, "derivative"),
        (
            lambda: lax.associative_scan(lambda a, b: a + draw(b), jnp.ones(4)),
            vipl.AddressError,
            "'q' is used twice",
        ),
        (lambda: (draw(), draw()), vipl.AddressError, "'q' is used twice"),
        (lambda: float(draw()), vipl.ProgramError, "sampled here: 'q'"),
    ],
)
def test_what_has_no_meaning_is_refused(body, error, message):
    with pytest.raises(error, match=message):
        vipl.simulate(vipl.program(body)(), jax.random.key(0))


def test_a_derivative_of_a_function_without_sites_is_fine():
    slope = vipl.program(lambda: jax.grad(lambda x: x**3)(draw()))()
    trace = vipl.simulate(slope, jax.random.key(0))
    assert jnp.allclose(trace.value, 3 * trace["q"] ** 2)


def test_a_site_outside_of_programs_is_refused():
    for outside in (draw, jax.jit(draw), lambda: jax.vmap(draw)(jnp.ones(2))):
        with pytest.raises(vipl.ProgramError, match="runs outside of a program"):
            outside()
