"""The same fits in JAX alone: what a careful person writes by hand for one model.

Mean field in unconstrained coordinates, scales through softplus, one random call for all noise. An ELBO here
is a function `(params, key, *data)`; `params` is `{"loc": {…}, "scale": {…}}`.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import optax

START = math.log(math.expm1(0.1))


def start(shapes: dict) -> dict:
    """Return the initial parameters of a guide with sites of these shapes."""
    return {
        "loc": {name: jnp.zeros(shape) for name, shape in shapes.items()},
        "scale": {name: jnp.full(shape, START) for name, shape in shapes.items()},
    }


def draw(params, key) -> tuple[dict, jax.Array]:
    """Return unconstrained draws of all sites, and their log density."""
    loc, scale = params["loc"], jax.tree.map(jax.nn.softplus, params["scale"])
    noise = jax.random.normal(key, (sum(x.size for x in loc.values()),))
    values, log_q, first = {}, 0.0, 0
    for name in loc:
        eps = noise[first : first + loc[name].size].reshape(loc[name].shape)
        first += loc[name].size
        values[name] = loc[name] + scale[name] * eps
        log_q += jnp.sum(normal(values[name], loc[name], scale[name]))
    return values, log_q


def normal(x, loc, scale):
    """Return the log density of a normal."""
    return -0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale) - 0.5 * math.log(2 * math.pi)


def eight_schools(params, key, sigma, y):
    """Return an estimate of the ELBO."""
    z, log_q = draw(params, key)
    tau = jnp.exp(z["tau"])
    log_p = normal(z["mu"], 0.0, 5.0) + math.log(2 / (5 * math.pi)) - jnp.log1p((tau / 5) ** 2) + z["tau"]
    log_p += jnp.sum(normal(z["eta"], 0.0, 1.0)) + jnp.sum(normal(y, z["mu"] + tau * z["eta"], sigma))
    return log_p - log_q


def logistic_regression(params, key, x, y):
    """Return an estimate of the ELBO."""
    z, log_q = draw(params, key)
    logits = x @ z["weights"] + z["intercept"]
    log_p = normal(z["intercept"], 0.0, 5.0) + jnp.sum(normal(z["weights"], 0.0, 1.0))
    log_p += jnp.sum(y * logits - jax.nn.softplus(logits))
    return log_p - log_q


def radon(params, key, county, floor, uranium, y):
    """Return an estimate of the ELBO."""
    z, log_q = draw(params, key)
    spread, noise = jnp.exp(z["spread"]), jnp.exp(z["noise"])
    log_p = sum(normal(z[name], 0.0, 10.0) for name in ("level", "basement", "soil"))
    log_p += sum(math.log(2 / math.pi) / 2 - 0.5 * jnp.exp(z[s]) ** 2 + z[s] for s in ("spread", "noise"))
    mean = z["level"] + spread * z["eta"][county] + z["soil"] * uranium + z["basement"] * floor
    log_p += jnp.sum(normal(z["eta"], 0.0, 1.0)) + jnp.sum(normal(y, mean, noise))
    return log_p - log_q


def hierarchy(params, key, group, y):
    """Return an estimate of the ELBO."""
    z, log_q = draw(params, key)
    spread, noise = jnp.exp(z["spread"]), jnp.exp(z["noise"])
    half = math.log(2 / math.pi) / 2 - math.log(5)
    log_p = normal(z["mean"], 0.0, 10.0) + sum(
        half - 0.5 * (jnp.exp(z[s]) / 5) ** 2 + z[s] for s in ("spread", "noise")
    )
    log_p += jnp.sum(normal(z["theta"], z["mean"], spread)) + jnp.sum(normal(y, z["theta"][group], noise))
    return log_p - log_q


def fit(elbo, params, key, data, num_steps: int):
    """Maximise an ELBO with the optimiser that `vipl.infer` uses, in one scan; returns params and history."""
    optimizer = optax.adam(optax.cosine_decay_schedule(0.03, num_steps))

    @jax.jit
    def run(params, key, data):
        def step(carry, i):
            params, state = carry
            loss, gradient = jax.value_and_grad(lambda p: -elbo(p, jax.random.fold_in(key, i), *data))(params)
            updates, state = optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), -loss

        (params, _), history = jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(num_steps))
        return params, history

    return run(params, key, data)


SHAPES = {
    "eight_schools": {"mu": (), "tau": (), "eta": (8,)},
    "logistic_regression": {"intercept": (), "weights": (30,)},
    "radon": {"level": (), "basement": (), "soil": (), "spread": (), "noise": (), "eta": (85,)},
    "hierarchy": {"mean": (), "spread": (), "noise": (), "theta": (400,)},
}
ELBOS = {
    "eight_schools": eight_schools,
    "logistic_regression": logistic_regression,
    "radon": radon,
    "hierarchy": hierarchy,
}
