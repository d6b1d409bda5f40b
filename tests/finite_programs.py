"""Programs with finite sites, in plates, vectors, branches and loops; and those whose scan makes a chain of them."""

import jax
import jax.numpy as jnp
from finite_case import MOVES, SERIES, START, THREE, TWO, Case
from finite_chains import CHAINS
from jax import lax

import vipl
import vipl.distributions as dist


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
    b = lax.cond(a == 1, lambda: vipl.sample("b", dist.Bernoulli(0.2)), lambda: vipl.sample("b", dist.Bernoulli(0.9)))
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
} | CHAINS
