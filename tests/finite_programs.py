"""Programs with finite sites, each with the values that these can take; sums over all of them are the exact answers."""

import dataclasses
import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import vipl
import vipl.distributions as dist

START = np.array([0.2, 0.3, 0.5])
MOVES = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
SERIES = np.array([0.3, -0.4, 1.9, 1.1])


@dataclasses.dataclass(frozen=True)
class Case:
    """A program of one parameter.

    Attributes:
        make: `make(theta)` returns it.
        sites: of each finite site, its support and the shape of its elements.
        kept: values of the other latent sites.
    """

    make: Callable
    sites: dict
    kept: dict = dataclasses.field(default_factory=dict)

    @property
    def values(self) -> dict:
        """All values that the finite sites can take together, in front."""
        grids = [itertools.product(points, repeat=math.prod(shape)) for points, shape in self.sites.values()]
        rows = list(itertools.product(*grids))
        shapes = [shape for _, shape in self.sites.values()]
        return {
            name: jnp.array(np.array([row[i] for row in rows]).reshape(len(rows), *shape))
            for i, (name, shape) in enumerate(zip(self.sites, shapes, strict=True))
        }

    def log_densities(self, theta):
        """Return the joint log density of each of them with what is kept and observed."""
        return jax.vmap(lambda values: vipl.log_density(self.make(theta), self.kept | values))(self.values)


TWO, THREE = (0, 1), (0, 1, 2)


@vipl.program
def scalars(theta):
    a = vipl.sample("a", dist.Bernoulli(0.3))
    b = vipl.sample("b", dist.Categorical(jnp.array(MOVES)[a]))
    vipl.sample("y", dist.Normal(theta * a + b, 1.0), obs=0.8)


@vipl.program
def mixture(theta):
    with vipl.plate("datum", 4):
        z = vipl.sample("z", dist.Categorical(jnp.array(START)))
        vipl.sample("y", dist.Normal(theta * z, 1.0), obs=SERIES)


@vipl.program
def mixture_kept(theta):
    with vipl.plate("datum", 4):
        z = vipl.sample("z", dist.Categorical(jnp.array(START)))
        vipl.sample("x", dist.Normal(theta * z, 1.0))


@vipl.program
def shared(theta):
    """A site outside of the plate, that all elements depend on; two in it, one given the other."""
    g = vipl.sample("g", dist.Bernoulli(0.4))
    with vipl.plate("datum", 3):
        z = vipl.sample("z", dist.Categorical(jnp.array(START)))
        c = vipl.sample("c", dist.Bernoulli(jnp.array([0.1, 0.6, 0.7])[z]))
        vipl.sample("y", dist.Normal(theta * z + c * g, 1.0), obs=SERIES[:3])


@vipl.program
def nested_plates(theta):
    with vipl.plate("group", 2, dim=-2):
        g = vipl.sample("g", dist.Bernoulli(0.3))
        with vipl.plate("datum", 3, dim=-1):
            z = vipl.sample("z", dist.Bernoulli(jnp.where(g == 1, 0.2, 0.7)))
            vipl.sample("y", dist.Normal(theta * z + g, 1.0), obs=jnp.arange(6.0).reshape(2, 3))


@vipl.program
def size_one(theta):
    with vipl.plate("datum", 1):
        z = vipl.sample("z", dist.Bernoulli(0.3))
    vipl.sample("y", dist.Normal(theta * z * jnp.ones(3), 1.0), obs=SERIES[:3])


@vipl.program
def vector(theta):
    """Elements that a term looks at together: one variable."""
    w = vipl.sample("w", dist.Bernoulli(jnp.array([0.2, 0.5, 0.7])))
    vipl.sample("y", dist.Normal(theta * (w @ jnp.array([1.0, 2.0, 3.0])), 1.0), obs=2.5)


@vipl.program
def causes(theta):
    """Elements of an event, together; elements of the plate, one by one."""
    with vipl.plate("datum", 2):
        w = vipl.sample("w", dist.Bernoulli(jnp.array([0.2, 0.5, 0.7])).to_event(1))
        vipl.sample("y", dist.Normal(theta * (w @ jnp.array([1.0, 2.0, 3.0])), 1.0), obs=SERIES[:2])


@vipl.program
def two_sided(theta):
    """Each element of one plate depends on each of another."""
    v = vipl.sample("v", dist.Bernoulli(0.3 * jnp.ones(3)))
    h = vipl.sample("h", dist.Bernoulli(0.6 * jnp.ones(2)))
    vipl.factor("f", theta * v[:, None] * h[None, :] * jnp.arange(6.0).reshape(3, 2))


@vipl.program
def diagonal(theta):
    z = vipl.sample("z", dist.Bernoulli(0.3 * jnp.ones((2, 2))))
    vipl.factor("f", theta * jnp.diag(z))
    vipl.factor("g", 0.7 * z * z.T)


@vipl.program
def branches(theta):
    """A site of one name in both branches."""
    a = vipl.sample("a", dist.Bernoulli(0.3))
    b = lax.cond(
        a == 1, lambda: vipl.sample("b", dist.Bernoulli(0.2)), lambda: vipl.sample("b", dist.Bernoulli(0.9))
    )
    vipl.sample("y", dist.Normal(theta * b, 1.0), obs=0.5)


@vipl.program
def lanes(theta):
    g = vipl.sample("g", dist.Bernoulli(0.4))

    def one(y):
        z = vipl.sample("z", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(theta * z + g, 1.0), obs=y)

    vipl.vmap(one)(jnp.array(SERIES[:3]))


@vipl.program
def steps_alone(theta):
    """A scan that carries nothing of its sites."""

    def step(c, y):
        z = vipl.sample("z", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(theta * z, 1.0), obs=y)
        return c, None

    lax.scan(step, 0.0, jnp.array(SERIES))


@vipl.program
def python_loop(theta):
    z = 0
    for t in range(5):
        z = vipl.sample(f"z{t}", dist.Bernoulli(jnp.where(z == 1, 0.3, 0.8)))
        vipl.sample(f"y{t}", dist.Normal(theta * z, 1.0), obs=0.3 * t)


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


@vipl.program
def wrapped(theta):
    """Sites inside of jit and remat, a program in a program, and a count."""

    @jax.checkpoint
    @jax.jit
    def inner(a):
        return vipl.sample("b", dist.Bernoulli(jnp.where(a == 1, 0.2, 0.6)))

    a = vipl.sample("a", dist.Bernoulli(0.3))
    n = vipl.sample("n", dist.Binomial(3, 0.4))
    c = vipl.sample("within", tossed(inner(a)))
    vipl.sample("y", dist.Normal(theta * c + n, 1.0), obs=1.2)


@vipl.program
def tossed(b):
    return vipl.sample("c", dist.Bernoulli(jnp.where(b == 1, 0.7, 0.1)))


CASES = {
    "scalars": Case(scalars, {"a": (TWO, ()), "b": (THREE, ())}),
    "mixture": Case(mixture, {"z": (THREE, (4,))}),
    "mixture, data kept": Case(mixture_kept, {"z": (THREE, (4,))}, {"x": SERIES}),
    "a site all elements share": Case(shared, {"g": (TWO, ()), "z": (THREE, (3,)), "c": (TWO, (3,))}),
    "nested plates": Case(nested_plates, {"g": (TWO, (2, 1)), "z": (TWO, (2, 3))}),
    "plate of size one": Case(size_one, {"z": (TWO, (1,))}),
    "a vector": Case(vector, {"w": (TWO, (3,))}),
    "an event": Case(causes, {"w": (TWO, (2, 3))}),
    "two sides": Case(two_sided, {"v": (TWO, (3,)), "h": (TWO, (2,))}),
    "a diagonal": Case(diagonal, {"z": (TWO, (2, 2))}),
    "branches": Case(branches, {"a": (TWO, ()), "b": (TWO, ())}),
    "vmap": Case(lanes, {"g": (TWO, ()), "z": (TWO, (3,))}),
    "jit, remat, nested": Case(
        wrapped, {"a": (TWO, ()), "b": (TWO, ()), "n": ((0, 1, 2, 3), ()), "within/c": (TWO, ())}
    ),
    "steps alone": Case(steps_alone, {"z": (TWO, (4,))}),
    "Python loop": Case(python_loop, {f"z{t}": (TWO, ()) for t in range(5)}),
    "chain of one": Case(lambda theta: hidden_markov(theta, 1), {"z": (THREE, (1,))}),
    "chain of two": Case(lambda theta: hidden_markov(theta, 2), {"z": (THREE, (2,))}),
    "chain": Case(hidden_markov, {"z": (THREE, (3,))}),
    "chain backwards": Case(lambda theta: hidden_markov(theta, reverse=True), {"z": (THREE, (3,))}),
    "chain, start drawn": Case(lambda theta: hidden_markov(theta, drawn=True), {"z0": (THREE, ()), "z": (THREE, (3,))}),
    "chain, data kept": Case(emitted, {"z": (THREE, (3,))}, {"x": SERIES[:3]}),
    "second order": Case(second_order, {"z": (TWO, (5,))}),
    "second order, short": Case(lambda theta: second_order(theta, 2), {"z": (TWO, (2,))}),
    "around a chain": Case(
        around_a_chain, {"g": (TWO, ()), "z": (TWO, (3,)), "w": (TWO, (3,)), "e": (TWO, ())}
    ),
    "two chains": Case(two_chains, {"a": (TWO, (3,)), "b": (TWO, (3,))}),
    "two chains apart": Case(lambda theta: two_chains(theta, False), {"a": (TWO, (3,)), "b": (TWO, (3,))}),
    "chains in a plate": Case(chains_in_a_plate, {"g": (TWO, ()), "a": (TWO, (3, 2))}),
    "neighbours": Case(lambda theta: chains_in_a_plate(theta, True), {"g": (TWO, ()), "a": (TWO, (3, 2))}),
    "a count, few steps": Case(counting, {"z": (TWO, (4,))}),
    "a count": Case(lambda theta: counting(theta, 6), {"z": (TWO, (6,))}),
    "emitted afterwards": Case(emitted_afterwards, {"z": (TWO, (4,))}),
}
