"""Sites inside JAX's control flow, and plates and loops of no or one element."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import objectives

from .registry import Equals, Raises, fault


def normal(x):
    return -0.5 * float(np.sum(np.square(x))) - 0.9189385 * np.size(x)


@vipl.program
def walk(steps):
    def step(carry, _):
        carry = vipl.sample("x", dist.Normal(carry, 1.0))
        return carry, carry

    return lax.scan(step, 0.0, length=steps)[1]


def density_of_walk(run):
    """Compare the density of a draw with that of its increments; return whether all draws differ too."""
    trace = vipl.simulate(run, jax.random.key(0))
    x = np.ravel(trace["x"])
    return trace.log_density - normal(np.diff(x, prepend=0.0)), len(set(x.tolist()))


@fault(19, "sampling in lax.scan", Equals((0.0, 5)))
def in_scan():
    return density_of_walk(walk(5))


@fault(19, "sampling in fori_loop", Equals((0.0, 5)))
def in_fori_loop():
    @vipl.program
    def program():
        return lax.fori_loop(0, 5, lambda i, x: vipl.sample("x", dist.Normal(x, 1.0)), 0.0)

    return density_of_walk(program())


@fault(19, "a gradient through a scan in an expectation", Equals(6.0, tolerance=1e-4))
def in_scan_gradient():
    @vipl.expectation
    def last(drift):
        def step(carry, _):
            return vipl.sample("x", dist.Normal(carry + drift, 1e-6)), None

        return lax.scan(step, 0.0, length=3)[0] ** 2 / 3  # (3 drift)² / 3

    return jax.grad(last, argnums=1)(jax.random.key(0), 1.0)


@fault(20, "sampling in nested jit", Equals((0.0, 2)))
def in_jit():
    @vipl.program
    def program():
        @jax.jit
        def block(x):
            return vipl.sample("x", dist.Normal(x, 1.0))

        with vipl.plate("n", 2):
            return block(0.0)

    trace = vipl.simulate(program(), jax.random.key(0))
    return trace.log_density - normal(trace["x"]), len(set(trace["x"].tolist()))


@fault(20, "one jitted block in two scopes", Equals((["a/x", "b/x"], True)))
def one_block_in_two_scopes():
    block = jax.jit(lambda: vipl.sample("x", dist.Normal(0.0, 1.0)))

    @vipl.program
    def program():
        with vipl.scope("a"):
            first = block()
        with vipl.scope("b"):
            return first - block()

    trace = jax.jit(lambda key: vipl.simulate(program(), key))(jax.random.key(0))
    return list(trace), bool(trace.value != 0)


@fault(20, "sampling in jax.checkpoint", Equals((0.0, 2.0)))
def in_remat():
    @vipl.program
    def program(loc):
        return jax.checkpoint(lambda: vipl.sample("x", dist.Normal(loc, 1.0)))()

    trace = vipl.simulate(program(1.0), jax.random.key(0))
    gradient = jax.grad(lambda loc: vipl.log_density(program(loc), {"x": 3.0}))(1.0)
    return trace.log_density - normal(trace["x"] - 1.0), gradient


@vipl.program
def until_positive():
    def draw(state):
        return vipl.sample("x", dist.Normal(0.0, 1.0)), state[1] + 1  # <- here

    return lax.while_loop(lambda state: state[0] <= 1.0, draw, (0.0, 0))


@fault(21, "simulate with a while_loop", Equals(True))
def in_while():
    runs = [vipl.simulate(until_positive(), key).value for key in jax.random.split(jax.random.key(0), 5)]
    return all(x > 1.0 for x, _ in runs) and len({int(n) for _, n in runs}) > 1


@fault(21, "density of a while_loop", Raises(vipl.DensityError, "'x'", "while_loop", "scan"))
def density_of_while():
    @vipl.program
    def program():
        return lax.while_loop(
            lambda x: x <= 1.0,
            lambda x: vipl.sample("x", dist.Normal(0.0, 1.0)),  # <- here
            0.0,
        )

    trace = vipl.simulate(program(), jax.random.key(0))
    return trace.log_density


@fault(21, "log_density of a while_loop", Raises(vipl.DensityError, "'x'", "while_loop", "scan"))
def log_density_of_while():
    @vipl.program
    def program():
        return lax.while_loop(
            lambda x: x <= 1.0,
            lambda x: vipl.sample("x", dist.Normal(0.0, 1.0)),  # <- here
            0.0,
        )

    return jax.jit(vipl.log_density)(program(), {"x": 2.0})


@fault(21, "switch with three branches", Equals([0.0, 0.0, 0.0]))
def in_switch():
    @vipl.program
    def program(i):
        return lax.switch(i, [lambda m=m: vipl.sample("x", dist.Normal(m, 1.0)) for m in (0.0, 10.0, 20.0)])

    traces = [vipl.simulate(program(jnp.int32(i)), jax.random.key(i)) for i in range(3)]
    return [t.log_density - normal(t["x"] - 10.0 * i) for i, t in enumerate(traces)]


@fault(48, "empty plate, plate of one, zero-length scan", Equals((0.0, 0.0, 0.0, [(0,), (1,), (0,)])))
def empty():
    @vipl.program
    def plated(n):
        with vipl.plate("n", n):
            vipl.sample("x", dist.Normal(0.0, 1.0))

    traces = [vipl.simulate(p, jax.random.key(0)) for p in (plated(0), plated(1), walk(0))]
    return *(t.log_density - normal(t["x"]) for t in traces), [t["x"].shape for t in traces]


@fault(48, "gradient of an elbo over an empty plate", Equals(-1.0))
def empty_gradient():
    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("data", y.shape[0]):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=y)

    @vipl.program
    def guide(loc):
        vipl.sample("mu", dist.Normal(loc, 1e-9))

    return jax.grad(objectives.elbo, argnums=2)(jax.random.key(0), model(jnp.zeros(0)), guide(1.0)).args[0]
