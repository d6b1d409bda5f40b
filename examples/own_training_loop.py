"""The ELBO in a training loop of one's own: an expectation is a plain JAX function of a key and pytrees."""

import jax
import jax.numpy as jnp
import optax

import vipl
import vipl.distributions as dist
from vipl import objectives


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 10.0))
    with vipl.plate("data", y.shape[0]):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def guide(params):
    vipl.sample("mu", dist.Normal(params["loc"], jnp.exp(params["log_scale"])))


def loss(params, key, y):
    return -objectives.elbo(key, model(y), guide(params))


@jax.jit
def step(params, state, key, y):
    updates, state = optimizer.update(jax.grad(loss)(params, key, y), state)
    return optax.apply_updates(params, updates), state


y = jnp.array([1.2, 0.3, 2.1, 1.4])
params = {"loc": 0.0, "log_scale": 0.0}
optimizer = optax.adam(optax.cosine_decay_schedule(0.1, 2000))
state = optimizer.init(params)
for key in jax.random.split(jax.random.key(0), 2000):
    params, state = step(params, state, key, y)

precision = len(y) + 1 / 100
print(f"guide: mu ~ Normal({params['loc']:.3f}, {jnp.exp(params['log_scale']):.3f})")
print(f"exact: mu ~ Normal({y.sum() / precision:.3f}, {precision**-0.5:.3f})")
