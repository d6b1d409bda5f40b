"""Programs whose densities are estimates, each with every value it can take, and their exact probabilities.

The probabilities come from NumPy, by enumeration. Of a normalised program they are those of its sampler, which nobody
knows in closed form: None.
"""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist

P_U = np.array([0.5, 0.3, 0.2])
P_V = np.array([0.3, 0.6, 0.8])
P_X = np.array(
    [[[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]], [[0.1, 0.8, 0.1], [0.4, 0.4, 0.2]], [[0.3, 0.3, 0.4], [0.1, 0.1, 0.8]]]
)
LOC = np.array([-0.5, 0.4, 1.2])
DATUM = 0.7


@vipl.program
def base(y=None):
    """Two hidden choices, a third that depends on both, and maybe a measurement of it."""
    u = vipl.sample("u", dist.Categorical(jnp.array(P_U)))
    v = vipl.sample("v", dist.Bernoulli(jnp.array(P_V)[u]))
    x = vipl.sample("x", dist.Categorical(jnp.array(P_X)[u, v]))
    if y is not None:
        vipl.sample("y", dist.Normal(jnp.array(LOC)[x], 1.0), obs=y)
    return x


@vipl.program
def flat(tilt=0.0):
    """Proposes the hidden choices."""
    vipl.sample("u", dist.Categorical(logits=tilt * jnp.arange(3.0)))
    vipl.sample("v", dist.Bernoulli(0.4))


@vipl.program
def only_v():
    """Proposes one of them."""
    vipl.sample("v", dist.Bernoulli(0.4))


@vipl.program
def flat_in_all():
    """Proposes all three."""
    vipl.sample("u", dist.Categorical(logits=jnp.zeros(3)))
    vipl.sample("v", dist.Bernoulli(0.4))
    vipl.sample("x", dist.Categorical(logits=jnp.array([0.0, 0.2, 0.3])))


def joint():
    """Exact p(u, v, x)."""
    v = np.stack([1 - P_V, P_V], axis=1)
    return P_U[:, None, None] * v[:, :, None] * P_X


P_OF_X = joint().sum((0, 1))
LIKELIHOOD = np.exp(-0.5 * (DATUM - LOC) ** 2) / np.sqrt(2 * np.pi)
MARGINAL = {"inference": vipl.Importance(num_particles=3)}


def on_x(**options):
    return vipl.marginal(base(), ["x"], **(MARGINAL | options))


@vipl.program
def nested():
    x = vipl.sample("m", on_x())
    return vipl.sample("w", dist.Bernoulli(jnp.array([0.2, 0.5, 0.9])[x]))


@vipl.program
def observed_inside():
    w = vipl.sample("w", dist.Bernoulli(0.3))
    vipl.sample("m", on_x() | {"x": 1})
    return w


@vipl.program
def mapped():
    vipl.vmap(lambda: vipl.sample("m", on_x()), axis_size=2)()


@vipl.program
def scanned():
    jax.lax.scan(lambda c, _: (c + vipl.sample("m", on_x()), None), 0, None, length=2)


@vipl.program
def in_a_branch():
    b = vipl.sample("b", dist.Bernoulli(0.4))
    return jax.lax.cond(b == 1, lambda: vipl.sample("m", on_x()), lambda: 0)


TRANSITION = np.array([[0.8, 0.2], [0.3, 0.7]])
EMISSION = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
SERIES = np.array([0, 2, 1])


@vipl.program
def chain(y=None, start=True):
    """A hidden Markov model, with a site before the scan and one after that sees what the scan stacked."""
    first = vipl.sample("first", dist.Bernoulli(0.4)) if start else 0

    def step(x, y):
        x = vipl.sample("x", dist.Categorical(jnp.array(TRANSITION)[x]))
        vipl.sample("y", dist.Categorical(jnp.array(EMISSION)[x]), obs=y)
        return x, x

    xs = jax.lax.scan(step, first, y, length=3)[1]
    if start:
        vipl.sample("last", dist.Bernoulli(0.1 + 0.2 * jnp.sum(xs)), obs=1)


@vipl.program
def steps():
    """Proposes the states of a chain."""
    first = vipl.sample("first", dist.Bernoulli(0.5))

    def step(x, y):
        x = vipl.sample("x", dist.Categorical(logits=jnp.stack([0.0, 0.9 * y + 0.8 * x - 1.2])))
        return x, None

    jax.lax.scan(step, first, jnp.array(SERIES, float))


def chain_evidence(series, start):
    """Exact p(y) by enumeration of all paths."""
    total = 0.0
    for first, *path in itertools.product(range(2), repeat=4):
        if start:
            weight = (0.6, 0.4)[first] * (0.1 + 0.2 * sum(path))
        else:
            weight = float(first == 0)
        for before, now, y in zip([first, *path], path, series, strict=False):
            weight *= TRANSITION[before, now] * EMISSION[now, y]
        total += weight
    return total


def evidence_of(name):
    """Exact evidence of what a normalised program was made of."""
    return chain_evidence(SERIES, True) if name.startswith("chain") else float(P_OF_X @ LIKELIHOOD)


@dataclasses.dataclass(frozen=True)
class Case:
    """A program, all its values (arrays with the values in front), their probabilities, and what it normalises."""

    program: object
    values: dict
    probabilities: object = None
    model: object = None


def grid(**sizes):
    """All combinations of values, by address, each with its shape: `(count, shape)`."""
    axes = [itertools.product(range(count), repeat=int(np.prod(shape))) for count, shape in sizes.values()]
    rows = list(itertools.product(*map(list, axes)))
    columns = zip(*rows, strict=True)
    return {
        name: jnp.array(list(column)).reshape(len(rows), *shape)
        for (name, (_, shape)), column in zip(sizes.items(), columns, strict=True)
    }


def hidden_given(kept):
    """The hidden choices given x, by a sampler of their own."""
    return vipl.normalize(base() | {"x": kept["x"]}, vipl.Importance(num_particles=2))


X = {"x": jnp.arange(3)}
ALL = grid(u=(3, ()), v=(2, ()), x=(3, ()))
PATHS = grid(first=(2, ()), x=(2, (3,)))
W = np.array([0.2, 0.5, 0.9])
PAIR = {"m/x": grid(x=(3, (2,)))["x"]}


def renamed(values, **names):
    return {names.get(name, name): value for name, value in values.items()}


def normalized(inference):
    return vipl.normalize(base(DATUM), inference)


def smoothed(*args, **options):
    return vipl.normalize(chain(SERIES), vipl.SMC(*args, **options))


BRANCH = {"b": jnp.array([0, 1, 1, 1]), "m/x": jnp.array([0, 0, 1, 2])}
NESTED = renamed(grid(x=(3, ()), w=(2, ())), x="m/x")

CASES = {
    "marginal of one particle": Case(on_x(inference=vipl.Importance(num_particles=1)), X, P_OF_X),
    "marginal": Case(on_x(), X, P_OF_X),
    "marginal with a proposal": Case(on_x(inference=vipl.Importance(flat(0.4), num_particles=4)), X, P_OF_X),
    "marginal, proposed by what is kept": Case(
        on_x(inference=vipl.Importance(lambda kept: flat(0.3 * kept["x"]), num_particles=3)), X, P_OF_X
    ),
    "marginal on two": Case(
        vipl.marginal(base(), ["v", "x"], **MARGINAL), grid(v=(2, ()), x=(3, ())), joint().sum(0).ravel()
    ),
    "marginal of a marginal": Case(
        vipl.marginal(vipl.marginal(base(), ["v", "x"]), ["x"], vipl.Importance(only_v(), 3)), X, P_OF_X
    ),
    "nested": Case(nested(), NESTED, np.stack([P_OF_X * (1 - W), P_OF_X * W], axis=1).ravel()),
    "mapped": Case(mapped(), PAIR, np.outer(P_OF_X, P_OF_X).ravel()),
    "scanned": Case(scanned(), PAIR, np.outer(P_OF_X, P_OF_X).ravel()),
    "in a branch": Case(in_a_branch(), BRANCH, np.array([0.6, *(0.4 * P_OF_X)])),
    "marginal by a normalised proposal": Case(
        on_x(inference=vipl.Importance(hidden_given, num_particles=2)), X, P_OF_X
    ),
    "normalised": Case(normalized(vipl.Importance(num_particles=3)), ALL, None, base(DATUM)),
    "normalised, one particle": Case(normalized(vipl.Importance(num_particles=1)), ALL, joint().ravel(), base(DATUM)),
    "normalised with a proposal": Case(
        normalized(vipl.Importance(flat_in_all(), num_particles=4)), ALL, None, base(DATUM)
    ),
    "normalised marginal": Case(
        vipl.normalize(vipl.marginal(base(DATUM), ["x"], **MARGINAL), vipl.Importance(on_x(), num_particles=3)),
        X,
        None,
        vipl.marginal(base(DATUM), ["x"], **MARGINAL),
    ),
    "marginal of a normalised one": Case(
        vipl.marginal(normalized(vipl.Importance(num_particles=3)), ["u", "v", "x"], **MARGINAL), ALL, None, base(DATUM)
    ),
    **{
        f"chain, {scheme}{', adaptive' if threshold else ''}": Case(
            smoothed(3, resampling=scheme, threshold=threshold), PATHS, None, chain(SERIES)
        )
        for scheme in ("multinomial", "stratified", "systematic")
        for threshold in (None, 0.8)
    },
    "chain with a proposal": Case(smoothed(3, steps(), resampling="systematic"), PATHS, None, chain(SERIES)),
    "chain of one particle": Case(smoothed(1), PATHS, None, chain(SERIES)),
    "data of a chain": Case(
        vipl.marginal(chain(start=False), ["y"], vipl.SMC(8)),
        {"y": (ys := grid(y=(3, (3,)))["y"])},
        np.array([chain_evidence(y, False) for y in np.array(ys)]),
    ),
}
