"""A Program is a pytree: arrays are leaves, the rest is static, and JAX transforms it as it is."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist


@vipl.program
def regression(x, scale, num_groups=2, name="y", *, bias=0.0):
    """Ints and strings set sizes and addresses."""
    w = vipl.sample("w", dist.Normal(jnp.zeros(num_groups), scale))
    return vipl.sample(name, dist.Normal(x * w.sum() + bias, 1.0))


def make(scale=2.0, **static):
    return regression(jnp.arange(3.0), scale, **static)


def test_leaves_are_the_arrays():
    program = make() | {"y": jnp.ones(3)}
    assert [np.shape(leaf) for leaf in jax.tree.leaves(program)] == [(3,), (), (3,)]
    assert jax.tree.structure(make()) == jax.tree.structure(make(scale=3.0))
    assert jax.tree.structure(make()) != jax.tree.structure(make(num_groups=3))
    assert jax.tree.structure(make()) != jax.tree.structure(make(name="z"))
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(program)]
    assert names == [".args[0]", ".args[1]", ".observations['y']"]


def test_tree_map_gives_a_program_that_runs():
    doubled = jax.tree.map(lambda leaf: 2 * leaf, make())
    np.testing.assert_array_equal(doubled.args[0], 2 * np.arange(3))
    assert doubled.args[1] == 4.0
    choices = {"w": jnp.array([0.5, 1.0]), "y": jnp.ones(3)}
    expected = vipl.log_density(regression(2 * jnp.arange(3.0), 4.0), choices)
    np.testing.assert_allclose(vipl.log_density(doubled, choices), expected)


@pytest.mark.parametrize("call", [vipl.simulate, lambda program, key: vipl.simulate(program, key).log_density])
def test_programs_made_anew_are_not_compiled_anew(call):
    chex.clear_trace_counter()
    compiled = jax.jit(chex.assert_max_traces(call, n=2))
    for i in range(5):
        compiled(make(scale=1.0 + i), jax.random.key(i))
    for i in range(3):
        compiled(make(num_groups=3), jax.random.key(i))
    with pytest.raises(AssertionError, match="traced > 2 times"):
        compiled(make(num_groups=4), jax.random.key(0))


def test_programs_of_functions_made_anew_are_not_compiled_anew():
    def guide(power):
        return vipl.program(lambda loc: vipl.sample("x", dist.Normal(loc**power, 1.0)))(2.0)

    chex.clear_trace_counter()
    compiled = jax.jit(chex.assert_max_traces(lambda program: vipl.log_density(program, {"x": 0.0}), n=2))
    first = compiled(guide(1))
    assert compiled(guide(1)) == first
    assert compiled(guide(2)) != first


def test_conditioning_is_part_of_the_program():
    chex.clear_trace_counter()
    compiled = jax.jit(chex.assert_max_traces(lambda program: vipl.log_density(program, {"w": jnp.ones(2)}), n=1))
    results = {float(compiled(make() | {"y": jnp.full(3, value)})) for value in (0.0, 1.0, 2.0)}
    assert len(results) == 3


def test_vmap_over_a_program_with_in_axes():
    programs = regression(jnp.arange(6.0).reshape(2, 3), jnp.array([1.0, 2.0]))
    keys = jax.random.split(jax.random.key(0), 2)
    traces = jax.vmap(vipl.simulate)(programs, keys)
    for i in range(2):
        alone = vipl.simulate(regression(jnp.arange(6.0).reshape(2, 3)[i], 1.0 + i), keys[i])
        np.testing.assert_allclose(traces["y"][i], alone["y"], rtol=1e-6)
        np.testing.assert_allclose(traces.log_density[i], alone.log_density, rtol=1e-6)
    mixed = regression(jnp.arange(3.0), jnp.array([1.0, 2.0]))
    axes = jax.tree.map(lambda leaf: None if leaf.shape == (3,) else 0, mixed)
    choices = {"w": jnp.ones(2), "y": jnp.ones(3)}
    together = jax.vmap(vipl.log_density, in_axes=(axes, None))(mixed, choices)
    apart = [vipl.log_density(regression(jnp.arange(3.0), s), choices) for s in (1.0, 2.0)]
    np.testing.assert_allclose(together, jnp.stack(apart), rtol=1e-6)


def test_the_gradient_is_a_program():
    choices = {"w": jnp.array([0.5, 1.0]), "y": jnp.ones(3)}
    program = make(bias=0.5)
    gradient = jax.grad(lambda p: vipl.log_density(p, choices))(program)
    assert jax.tree.structure(gradient) == jax.tree.structure(program)
    residual = 1.0 - (np.arange(3) * 1.5 + 0.5)
    np.testing.assert_allclose(gradient.args[0], residual * 1.5, rtol=1e-6)
    np.testing.assert_allclose(gradient.args[1], -2 / 2.0 + 1.25 / 8.0, rtol=1e-6)
    np.testing.assert_allclose(gradient.kwargs["bias"], residual.sum(), rtol=1e-6)


def test_gradients_reach_observations_and_params():
    @vipl.program
    def model():
        vipl.sample("y", dist.Normal(vipl.param("loc", 1.0), 1.0))

    program = vipl.with_params(model() | {"y": 3.0}, {"loc": 0.5})
    gradient = jax.grad(lambda p: vipl.log_density(p, {}))(program)
    assert float(gradient.observations["y"]) == -2.5
    assert float(gradient.params["loc"]) == 2.5


def test_a_trace_flows_through_jit_vmap_and_scan():
    program = make()
    keys = jax.random.split(jax.random.key(0), 3)
    one_by_one = [vipl.simulate(program, key) for key in keys]
    _, scanned = jax.lax.scan(lambda c, key: (c, vipl.simulate(program, key)), 0, keys)
    mapped = jax.vmap(functools.partial(vipl.simulate, program))(keys)
    for i, alone in enumerate(one_by_one):
        for many in (scanned, mapped):
            np.testing.assert_allclose(many["y"][i], alone["y"], rtol=1e-6)
            np.testing.assert_allclose(many.log_density[i], alone.log_density, rtol=1e-6)
    densities = jax.jit(jax.vmap(vipl.log_density, in_axes=(None, 0)))(program, mapped)
    np.testing.assert_allclose(densities, mapped.log_density, rtol=1e-6)


def test_old_keys_draw_the_same_and_no_key_is_an_error():
    program = make()
    new = vipl.simulate(program, jax.random.key(3))
    np.testing.assert_array_equal(new["y"], vipl.simulate(program, jax.random.PRNGKey(3))["y"])
    for wrong in (None, 3, jax.random.split(jax.random.key(0))):
        with pytest.raises(vipl.RandomnessError):
            vipl.simulate(program, wrong)


def test_static_results_come_back():
    program = vipl.program(lambda: {"x": vipl.sample("x", dist.Normal(0.0, 1.0)), "name": "model", "n": 3})()
    value = vipl.simulate(program, jax.random.key(0)).value
    assert (value["name"], value["n"]) == ("model", 3)
