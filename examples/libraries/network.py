"""A network of Equinox, and one of flax.nnx, in a program: its features are learned, the layer after them inferred."""

import equinox
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import vipl
import vipl.distributions as dist

WIDTH = 8


@vipl.program
def model(features, x, y=None):
    weights = vipl.sample("weights", dist.Normal(jnp.zeros(WIDTH), 1.0).to_event(1))
    noise = vipl.sample("noise", dist.HalfNormal(1.0))
    with vipl.plate("datum", len(x)):
        vipl.sample("y", dist.Normal(features(x) @ weights, noise), obs=y)


@vipl.program
def guide(params):
    loc, scale = params["loc"], jax.nn.softplus(params["raw_scale"])
    vipl.sample("weights", dist.Normal(loc, scale).to_event(1))
    vipl.sample("noise", dist.LogNormal(params["log_noise"], 0.1))


def of_equinox():
    """Return params, and the network that they make: a module is a pytree whose arrays are learned."""
    network = equinox.nn.MLP(1, WIDTH, 16, 1, activation=jnp.tanh, key=jax.random.key(0))
    return network, lambda network: lambda x: jax.vmap(network)(x[:, None])


def of_nnx():
    """Return the same of flax.nnx, whose modules are split into their structure and their state."""
    rngs = nnx.Rngs(0)
    network = nnx.Sequential(nnx.Linear(1, 16, rngs=rngs), jnp.tanh, nnx.Linear(16, WIDTH, rngs=rngs))
    structure, state = nnx.split(network)
    return state, lambda state: lambda x: nnx.merge(structure, state)(x[:, None])


random = np.random.default_rng(0)
x = random.uniform(-2.0, 2.0, 200).astype(np.float32)
y = (np.sin(2.0 * x) + 0.2 * random.normal(size=200)).astype(np.float32)

for make in (of_equinox, of_nnx):
    network, features_of = make()
    start = {"loc": jnp.zeros(WIDTH), "raw_scale": jnp.full(WIDTH, -3.0), "log_noise": jnp.zeros(())}
    posterior = vipl.infer(
        lambda params, features_of=features_of: model(features_of(params["network"]), x, y),
        lambda params: guide(params["guide"]),
        params={"network": network, "guide": start},
        key=jax.random.key(0),
        num_steps=4000,
        progress=False,
    )
    print(f"{make.__name__}: noise {posterior.sample(jax.random.key(1), 1000)['noise'].mean():.2f}, true 0.20")
