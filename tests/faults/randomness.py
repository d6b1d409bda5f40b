"""Keys that are missing or no keys, keys where none belong, and draws that lanes would share."""

import threading

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import objectives

from .registry import Equals, Raises, fault


@vipl.program
def model(y=0.5):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)
    return x


@vipl.program
def guide(loc=0.0):
    vipl.sample("x", dist.Normal(loc, 1.0))


KEY = "jax.random.key(0)"


@fault(35, "no key in simulate", Raises(vipl.RandomnessError, "simulate", KEY))
def no_key():
    vipl.simulate(model())  # <- here


@fault(35, "no key in an objective", Raises(vipl.RandomnessError, "elbo", KEY))
def no_key_in_objective():
    objectives.elbo(model(), guide())  # <- here


@fault(35, "no key in init_params", Raises(vipl.RandomnessError, "init_params", KEY))
def no_key_in_init():
    vipl.init_params(guide())  # <- here


@fault(36, "an int for a key", Raises(vipl.RandomnessError, "int", "0", KEY))
def int_key():
    vipl.simulate(model(), 0)  # <- here


@fault(36, "an int for a key in an objective, under grad", Raises(vipl.RandomnessError, "elbo", KEY))
def int_key_in_objective():
    jax.grad(lambda loc: objectives.elbo(42, model(), guide(loc)))(0.0)  # <- here


@fault("36a", "an array of keys", Raises(vipl.RandomnessError, "(3,)", "jax.vmap"))
def key_array():
    vipl.simulate(model(), jax.random.split(jax.random.key(0), 3))  # <- here


@fault("36b", "a NumPy generator for a key", Raises(vipl.RandomnessError, "Generator", KEY))
def numpy_generator():
    vipl.simulate(model(), np.random.default_rng(0))  # <- here


@fault("36c", "a traced int for a key", Raises(vipl.RandomnessError, KEY))
def traced_int_key():
    jax.jit(lambda seed: vipl.simulate(model(), seed).value)(0)  # <- here


@fault("36d", "an old-style PRNGKey works as the new one", Equals(0.0))
def old_style_key():
    old = vipl.simulate(model(), jax.random.PRNGKey(3)).value
    return old - vipl.simulate(model(), jax.random.key(3)).value


@fault("36e", "key and program swapped", Raises(vipl.ProgramError, "PRNGKeyArray", "simulate(program, …)"))
def swapped():
    vipl.simulate(jax.random.key(0), model())  # <- here


@fault("36f", "a key inside an expectation", Raises(vipl.RandomnessError, "no key", "vipl.simulate(program)"))
def key_inside():
    @vipl.expectation
    def objective(loc):
        return vipl.simulate(guide(loc), jax.random.key(0))["x"]  # <- here

    objective(jax.random.key(0), 1.0)


@fault("36g", "an expectation called inside another", Raises(vipl.RandomnessError, "inner"))
def expectation_inside():
    @vipl.expectation
    def inner(loc):
        return vipl.sample("x", dist.Normal(loc, 1.0))

    @vipl.expectation
    def outer(loc):
        return inner(jax.random.key(0), loc) ** 2  # <- here

    outer(jax.random.key(0), 1.0)


@fault("36h", "simulate inside of a program", Raises(vipl.RandomnessError, "vipl.sample("))
def simulate_inside():
    @vipl.program
    def outer():
        return vipl.simulate(guide())["x"]  # <- here

    vipl.simulate(outer(), jax.random.key(0))


@fault("36i", "a thread that samples without a program", Equals("ProgramError"))
def thread_without_program():
    found = []

    def work():
        try:
            vipl.sample("x", dist.Normal(0.0, 1.0))
        except vipl.VIPLError as error:
            found.append(type(error).__name__)

    @vipl.program
    def outer():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    vipl.simulate(outer(), jax.random.key(0))
    return found[0]


@fault(44, "jax.vmap over an unbatched site", Raises(vipl.RandomnessError, "'z'", "vipl.vmap", "vipl.plate("))
def unbatched_site():
    @vipl.program
    def outer(x):
        def noisy(x):
            return x + vipl.sample("z", dist.Normal(0.0, 1.0))  # <- here

        return jax.vmap(noisy)(x)

    vipl.simulate(outer(jnp.arange(3.0)), jax.random.key(0))


@fault(
    44,
    "jax.vmap over an unbatched site in a nested program",
    Raises(vipl.RandomnessError, "'g/x'", "vipl.vmap"),
)
def unbatched_nested():
    @vipl.program
    def unit():
        return vipl.sample("x", dist.Normal(0.0, 1.0))  # <- here

    @vipl.program
    def outer(x):
        return jax.vmap(lambda x: x * vipl.sample("g", unit()))(x).sum()

    jax.jit(vipl.log_density)(outer(jnp.arange(3.0)), {"g/x": 0.0})


@fault("44a", "jax.vmap over an unbatched choice", Raises(vipl.RandomnessError, "'z'", "vipl.vmap"))
def unbatched_choice():
    @vipl.expectation
    def objective(x):
        return jax.vmap(lambda x: x * vipl.sample("z", dist.Normal(0.0, 1.0)))(x).sum()  # <- here

    objective(jax.random.key(0), jnp.arange(3.0))


@fault("44b", "vipl.vmap over the same site works", Equals((3, 3)))
def unbatched_with_vipl():
    @vipl.program
    def outer(x):
        return vipl.vmap(lambda x: x + vipl.sample("z", dist.Normal(0.0, 1.0)))(x)

    trace = vipl.simulate(outer(jnp.arange(3.0)), jax.random.key(0))
    return len(set(trace["z"].tolist())), trace.value.size
