"""Fits of sharded data and particles, on as many devices as XLA is told to make; `test_sharding.py` runs it.

python sharded_fits.py RESULTS [COORDINATOR PROCESS]
"""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import vipl
import vipl.distributions as dist
from vipl import objectives

SIZE, PARTICLES, STEPS, RATE = 320, 64, 60, 0.05


def key():
    """Return the key of all fits, made when it is asked for: `jax.distributed` must come before any array."""
    return jax.random.key(0)


@vipl.program
def model(y):
    """Data around local values around a global one."""
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfNormal(2.0))
    with vipl.plate("datum", SIZE):
        z = vipl.sample("z", dist.Normal(mu, tau))
        vipl.sample("y", dist.Normal(z, 1.0), obs=y)


@vipl.program
def small(y):
    """A model that vipl finds coordinates for, by paths that rounding lengthens or shortens."""
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    tau = vipl.sample("tau", dist.HalfNormal(2.0))
    with vipl.plate("datum", SIZE):
        vipl.sample("y", dist.Normal(mu, tau), obs=y)


@vipl.program
def guide():
    """Mean field, with params of its own."""
    positive = {"constraint": dist.constraints.positive}
    vipl.sample("mu", dist.Normal(vipl.param("mu.loc", 0.0), vipl.param("mu.scale", 0.1, **positive)))
    vipl.sample("tau", dist.LogNormal(vipl.param("tau.loc", 0.0), vipl.param("tau.scale", 0.1, **positive)))
    with vipl.plate("datum", SIZE):
        loc = vipl.param("z.loc", jnp.zeros(SIZE))
        vipl.sample("z", dist.Normal(loc, vipl.param("z.scale", jnp.ones(SIZE), **positive)))


def place(values, mesh):
    """Return host values as one array that is sharded over all devices, of all hosts."""
    values = np.asarray(values)
    share = np.split(values, jax.process_count())[jax.process_index()]
    return jax.make_array_from_process_local_data(NamedSharding(mesh, PartitionSpec("data")), share, values.shape)


def assert_sharded(array):
    """Check that every device has an equal part of the first axis."""
    parts = [shard.data.shape[0] for shard in array.addressable_shards]
    assert parts == [len(array) // jax.device_count()] * jax.local_device_count(), array.sharding


def fit(y, **options):
    """Fit in one call; the local params follow the data."""
    posterior = vipl.infer(model(y), key=key(), progress=False, num_steps=STEPS, **options)
    assert_sharded(posterior.params["z.loc"])
    return posterior.params | {"objective": posterior.objective_history}


def resume(y, path):
    """Fit a few steps, and go on from the file."""
    options = {"optimizer": optax.adam(RATE), "checkpoint": path}
    few = fit(y, stop=lambda history: len(history) > 1, **options)
    assert 1 < len(few["objective"]) < STEPS
    return fit(y, **options)


def own_loop(y, mesh):
    """Fit in a loop of one's own, whose local params are sharded from the start."""
    adam, params = optax.adam(RATE), vipl.init_params(key(), model(y), guide())
    params |= {name: place(params[name], mesh) for name in ("z.loc", "z.scale")}

    def loss(params, key, y):
        return -objectives.elbo(key, model(y), vipl.with_params(guide(), params))

    @jax.jit
    def run(params, y):
        def step(number, carry):
            params, state = carry
            updates, state = adam.update(jax.grad(loss)(params, jax.random.fold_in(key(), number), y), state, params)
            return optax.apply_updates(params, updates), state

        return jax.lax.fori_loop(0, STEPS, step, (params, adam.init(params)))[0]

    found = run(params, y)
    assert_sharded(found["z.loc"])
    return found


def particles(objective, y, mesh):
    """Return the mean of many estimates, of which each device makes its part, and its gradient."""
    keys = jax.device_put(jax.random.split(key(), PARTICLES), NamedSharding(mesh, PartitionSpec("data")))

    @functools.partial(jax.jit, static_argnums=0)
    @functools.partial(jax.value_and_grad, argnums=1, has_aux=True)
    def mean(objective, params, y, keys):
        each = jax.vmap(lambda key: objective(key, model(y), vipl.with_params(guide(), params)))(keys)
        return jnp.mean(each), each

    (value, each), gradient = mean(objective, vipl.init_params(key(), guide()), np.asarray(y), keys)
    assert_sharded(each)
    return gradient | {"value": value, "each": each}


def main(path, *distributed):
    """Make all fits, and write what they find to a file."""
    if distributed:
        jax.distributed.initialize(distributed[0], 2, int(distributed[1]))
    mesh = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    y = place(np.random.default_rng(0).normal(2.0, 1.5, SIZE).astype(np.float32), mesh)
    assert_sharded(y)
    found = {"resumed": resume(y, f"{path}.checkpoint"), "default": fit(y)}
    if not distributed:
        found["given"] = fit(y, optimizer=optax.adam(RATE))
        found["one datum is off"] = fit(y.at[0].add(0.01), optimizer=optax.adam(RATE))
        found["in a frame"] = vipl.infer(small(y), key=key(), progress=False, num_steps=400).params
        found["own loop"] = own_loop(y, mesh)
        found["elbo"] = particles(objectives.elbo, y, mesh)
        found["iwelbo"] = particles(objectives.iwelbo(8), y, mesh)
        replicated = jax.device_put(y, NamedSharding(mesh, PartitionSpec()))
        found["refused"] = {"plain": refuses(np.asarray(y)), "replicated": refuses(replicated)}
    found = {f"{what}/{name}": x for what, values in found.items() for name, x in values.items()}
    found = {name: on_host(x) for name, x in found.items()}
    if jax.process_index() == 0:
        np.savez(path, **found)


def on_host(array):
    """Return an array of NumPy, whole."""
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        return process_allgather(array, tiled=True)
    return np.asarray(array)


def refuses(y):
    """Say whether the check of what is sharded fails on these data; the wrong twin."""
    try:
        assert_sharded(jnp.asarray(y))
    except AssertionError:
        return True
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
