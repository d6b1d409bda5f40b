"""Staging: trace caches, threads, and the cost of many sites."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist


@jax.jit
def block(x):
    """One jitted block, with one trace cache, for every program of this file."""
    return vipl.sample("z", dist.Normal(x, 1.0))


def addresses(body):
    return list(vipl.simulate(vipl.program(body)(), jax.random.key(0)))


def in_two_scopes():
    with vipl.scope("a"):
        block(0.0)
    with vipl.scope("b"):
        block(0.0)


def in_and_out_of_a_plate():
    first = block(0.0)
    with vipl.plate("p", 3), vipl.scope("in"):
        return first, block(0.0)


def in_a_subsampled_plate():
    with vipl.plate("p", 6, subsample_size=3):
        block(0.0)


def test_a_jitted_block_is_safe_in_scopes_plates_and_programs():
    for _ in range(2):  # the second time every answer could come from the cache
        assert addresses(in_two_scopes) == ["a/z", "b/z"]
        trace = vipl.simulate(vipl.program(in_and_out_of_a_plate)(), jax.random.key(0))
        assert {a: v.shape for a, v in trace.items()} == {"z": (), "in/z": (3,)}
        assert [v.shape for v in trace.value] == [(), (3,)]
        sampled = vipl.simulate(vipl.program(in_a_subsampled_plate)(), jax.random.key(0))
        np.testing.assert_allclose(
            sampled.log_density, 2 * (-0.5 * sampled["z"] ** 2 - 0.5 * np.log(2 * np.pi)).sum(), rtol=1e-5
        )
        assert addresses(lambda: block(0.0)) == ["z"]
        assert addresses(lambda: vipl.sample("outer", vipl.program(in_two_scopes)())) == [
            "outer/a/z",
            "outer/b/z",
        ]
        with pytest.raises(vipl.ProgramError):
            block(0.0)
        with pytest.raises(vipl.AddressError, match="'z' is used twice"):
            addresses(lambda: (block(0.0), block(0.0)))


def test_scopes_of_cached_scans_and_branches():
    def step(carry, x):
        return block(carry), x

    def body():
        for name in ("a", "b"):
            with vipl.scope(name):
                lax.scan(step, 0.0, jnp.ones(2))
                lax.cond(jnp.ones(()) > 0, lambda: vipl.sample("c", dist.Normal(0.0, 1.0)), lambda: 0.0)

    assert addresses(body) == ["a/z", "a/c", "b/z", "b/c"]


def test_a_failing_program_leaves_nothing_behind():
    def failing():
        with vipl.scope("s"), vipl.plate("p", 3):
            raise RuntimeError("the user's own")

    with pytest.raises(RuntimeError, match="the user's own"):
        vipl.simulate(vipl.program(failing)(), jax.random.key(0))
    assert addresses(lambda: block(0.0)) == ["z"]
    with pytest.raises(vipl.ProgramError, match="outside of a program"):
        vipl.sample("z", dist.Normal(0.0, 1.0))


def test_numpy_data_indexed_by_a_subsample():
    data = np.arange(4.0)

    def body():
        vipl.sample("mean", dist.Normal(0.0, 1.0))
        with vipl.plate("datum", 4, subsample_size=2) as index:
            vipl.sample("y", dist.Normal(0.0, 1.0), obs=data[index])

    with pytest.raises(vipl.ProgramError, match="NumPy needs to know a value .*sampled here: 'datum'") as caught:
        addresses(body)
    assert "data[index]" in caught.value.where
    assert "jnp.asarray(data)[index]" in caught.value.fix


@pytest.mark.parametrize(("size", "length"), [(4, 0), (4, 5), (0, 1)])
def test_a_subsample_has_at_least_one_element_and_no_more_than_there_are(size, length):
    def body():
        with vipl.plate("datum", size, subsample_size=length):
            vipl.sample("x", dist.Normal(0.0, 1.0))

    what = f"subsample_size {length}, (more than|none of) its size {size}"
    with pytest.raises(vipl.ShapeError, match=what) as caught:
        addresses(body)
    assert __file__ in str(caught.value.where)
    assert "subsample_size" in caught.value.fix


def test_a_plate_of_nothing_has_a_subsample_of_nothing():
    def body():
        with vipl.plate("datum", 0, subsample_size=0):
            vipl.sample("x", dist.Normal(0.0, 1.0))

    assert addresses(body) == ["x"]


def test_a_program_is_staged_once():
    times = []

    def body():
        times.append(1)
        vipl.sample("x", dist.Normal(0.0, 1.0))

    program = vipl.program(body)()
    for i in range(3):
        trace = vipl.simulate(program, jax.random.key(i))
        vipl.log_density(program, trace)
        vipl.log_density(program | {"x": 1.0}, {})
    assert len(times) == 1


def test_two_threads_stage_at_once():
    """Each thread has surroundings of its own: scopes, plates and the values drawn so far."""
    barrier = threading.Barrier(4)
    found, errors = {}, []

    def body(name):
        with vipl.scope(name), vipl.plate("p", len(name)):
            for i in range(20):
                vipl.sample(f"x{i}", dist.Normal(0.0, 1.0))
            return block(0.0)

    def work(name):
        try:
            for _ in range(3):
                barrier.wait(timeout=60)
                trace = vipl.simulate(vipl.program(body)(name), jax.random.key(0))
                found.setdefault(name, []).append(trace)
        except Exception as error:
            errors.append(error)
            barrier.abort()

    names = ["a", "bb", "ccc", "dddd"]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for name in names:
        alone = vipl.simulate(vipl.program(body)(name), jax.random.key(0))
        for trace in found[name]:
            assert list(trace) == [*(f"{name}/x{i}" for i in range(20)), f"{name}/z"]
            jax.tree.map(np.testing.assert_array_equal, dict(trace.choices), dict(alone.choices))


def chain(num_sites):
    def body():
        total = jnp.zeros(())
        for i in range(num_sites):
            total = vipl.sample(f"x{i}", dist.Normal(0.5 * total, 1.0))
        return total

    return vipl.program(body)()


def num_equations(jaxpr):
    inner = [j for eqn in jaxpr.eqns for j in jax.extend.core.jaxprs_in_params(eqn.params)]
    return len(jaxpr.eqns) + sum(num_equations(getattr(j, "jaxpr", j)) for j in inner)


def count(fn, *args):
    return num_equations(jax.make_jaxpr(fn)(*args).jaxpr)


def test_five_hundred_sites_cost_twice_what_half_of_them_cost():
    costs = {}
    for num_sites in (250, 500):
        program = chain(num_sites)
        choices = {f"x{i}": 0.1 for i in range(num_sites)}
        staged = num_equations(program.stage().jaxpr)
        density = count(lambda c, p=program: vipl.log_density(p, c), choices)
        drawn = count(lambda key, p=program: vipl.simulate(p, key).log_density, jax.random.key(0))
        costs[num_sites] = np.array([staged, density, drawn])
    assert (costs[500] <= 2.2 * costs[250]).all(), costs
    assert (costs[500] <= 500 * np.array([3, 25, 60])).all(), costs


def test_depth_of_nesting_is_no_trouble():
    """Sites under many scopes, scans in scans, and programs in programs."""

    def program_of(depth):
        @vipl.program
        def level():
            x = vipl.sample("x", dist.Normal(0.0, 1.0))
            return x if depth == 0 else x + vipl.sample("in", program_of(depth - 1))

        return level()

    trace = vipl.simulate(program_of(12), jax.random.key(0))
    assert list(trace)[-1] == "in/" * 12 + "x"
    np.testing.assert_allclose(
        trace.log_density,
        sum(-0.5 * float(v) ** 2 - 0.5 * np.log(2 * np.pi) for v in trace.values()),
        rtol=1e-5,
    )

    def scans(depth):
        if depth == 0:
            return vipl.sample("x", dist.Normal(0.0, 1.0))
        return lax.scan(lambda c, _: (c, scans(depth - 1)), 0.0, None, length=2)[1]

    assert vipl.simulate(vipl.program(lambda: scans(5))(), jax.random.key(0))["x"].shape == (2,) * 5
