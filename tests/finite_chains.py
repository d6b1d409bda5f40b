"""Programs whose scan makes a chain of finite sites."""

import jax.numpy as jnp
from finite_case import MOVES, SERIES, START, THREE, TWO, Case
from jax import lax

import vipl
import vipl.distributions as dist


@vipl.program
def hidden_markov(theta, length=3, reverse=False, drawn=False):
    first = vipl.sample("z0", dist.Categorical(jnp.array(START))) if drawn else 0

    def step(before, y):
        z = vipl.sample("z", dist.Categorical(jnp.array(MOVES)[before]))
        vipl.sample("y", dist.Normal(theta * z, 1.0), obs=y)
        return z, None

    lax.scan(step, first, jnp.array(SERIES[:length]), reverse=reverse)


@vipl.program
def emitted(theta):
    def step(before, _):
        z = vipl.sample("z", dist.Categorical(jnp.array(MOVES)[before]))
        vipl.sample("x", dist.Normal(theta * z, 1.0))
        return z, None

    lax.scan(step, 0, None, length=3)


@vipl.program
def second_order(theta, length=5):
    def step(before, t):
        z = vipl.sample("z", dist.Bernoulli(jnp.array([[0.1, 0.6], [0.7, 0.3]])[before]))
        vipl.sample("y", dist.Normal(theta * z + 0.5 * before[0], 1.0), obs=0.4 * t)
        return (before[1], z), None

    lax.scan(step, (0, 1), jnp.arange(float(length)))


@vipl.program
def around_a_chain(theta):
    """A site before the chain that all steps depend on, one in each step, and one after it."""
    g = vipl.sample("g", dist.Bernoulli(0.4))

    def step(before, y):
        z = vipl.sample("z", dist.Bernoulli(jnp.array([[0.2, 0.8], [0.7, 0.3]])[g, before]))
        w = vipl.sample("w", dist.Bernoulli(jnp.where(z == 1, 0.2, 0.6)))
        vipl.sample("y", dist.Normal(theta * z + w + g, 1.0), obs=y)
        return z, None

    last, _ = lax.scan(step, 0, jnp.array(SERIES[:3]))
    vipl.sample("end", dist.Normal(2.0 * last + g, 1.0), obs=0.3)
    vipl.sample("e", dist.Bernoulli(jnp.where(last == 1, 0.2, 0.6)))


@vipl.program
def two_chains(theta, coupled=True):
    def step(before, y):
        a = vipl.sample("a", dist.Bernoulli(jnp.where(before[0] == 1, 0.2, 0.6)))
        b = vipl.sample("b", dist.Bernoulli(jnp.where(before[1] == 1, 0.3, 0.9)))
        vipl.sample("y", dist.Normal(theta * a + 2 * b * coupled, 1.0), obs=y)
        vipl.sample("x", dist.Normal(1.0 * b, 1.0), obs=-y)
        return (a, b), None

    lax.scan(step, (0, 1), jnp.array(SERIES[:3]))


@vipl.program
def chains_in_a_plate(theta, neighbours=False):
    g = vipl.sample("g", dist.Bernoulli(0.4))

    def step(before, y):
        with vipl.plate("chain", 2):
            before = before[::-1] if neighbours else before
            a = vipl.sample("a", dist.Bernoulli(jnp.where(before == 1, 0.2, 0.6 + 0.1 * g)))
            vipl.sample("y", dist.Normal(theta * a, 1.0), obs=y * jnp.array([1.0, 2.0]))
        vipl.factor("f", 0.3 * g)
        return a, None

    lax.scan(step, jnp.zeros(2, int), jnp.array(SERIES[:3]))


@vipl.program
def counting(theta, length=4):
    """What is carried depends on all steps before."""

    def step(count, y):
        z = vipl.sample("z", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(theta * z + count, 1.0), obs=y)
        return count + z, None

    lax.scan(step, 0, jnp.arange(float(length)))


@vipl.program
def emitted_afterwards(theta):
    def step(before, _):
        z = vipl.sample("z", dist.Bernoulli(jnp.where(before == 1, 0.2, 0.6)))
        return z, z

    _, z = lax.scan(step, 0, None, length=4)
    vipl.sample("y", dist.Normal(theta * z, 1.0), obs=SERIES)


CHAINS = {
    "chain of one": Case(lambda theta: hidden_markov(theta, 1), {"z": (THREE, (1,))}),
    "chain of two": Case(lambda theta: hidden_markov(theta, 2), {"z": (THREE, (2,))}),
    "chain": Case(hidden_markov, {"z": (THREE, (3,))}),
    "chain backwards": Case(lambda theta: hidden_markov(theta, reverse=True), {"z": (THREE, (3,))}),
    "chain, start drawn": Case(lambda theta: hidden_markov(theta, drawn=True), {"z0": (THREE, ()), "z": (THREE, (3,))}),
    "chain, data kept": Case(emitted, {"z": (THREE, (3,))}, {"x": SERIES[:3]}),
    "second order": Case(second_order, {"z": (TWO, (5,))}),
    "second order, short": Case(lambda theta: second_order(theta, 2), {"z": (TWO, (2,))}),
    "around a chain": Case(around_a_chain, {"g": (TWO, ()), "z": (TWO, (3,)), "w": (TWO, (3,)), "e": (TWO, ())}),
    "two chains": Case(two_chains, {"a": (TWO, (3,)), "b": (TWO, (3,))}),
    "two chains apart": Case(lambda theta: two_chains(theta, False), {"a": (TWO, (3,)), "b": (TWO, (3,))}),
    "chains in a plate": Case(chains_in_a_plate, {"g": (TWO, ()), "a": (TWO, (3, 2))}),
    "neighbours": Case(lambda theta: chains_in_a_plate(theta, True), {"g": (TWO, ()), "a": (TWO, (3, 2))}),
    "a count, few steps": Case(counting, {"z": (TWO, (4,))}),
    "a count": Case(lambda theta: counting(theta, 6), {"z": (TWO, (6,))}),
    "emitted afterwards": Case(emitted_afterwards, {"z": (TWO, (4,))}),
}
