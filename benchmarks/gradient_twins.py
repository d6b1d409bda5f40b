"""What `gradient_problems.py` says, written by hand in JAX alone, as one who knows the estimators would.

Each is a function `(params, key, *data)` whose value estimates the ELBO and whose derivative estimates its derivative.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import twins
from gradient_problems import CLASSES, CODE, PRESENCE, SLACK, STEPS, network
from jax.lax import stop_gradient
from twins import normal


def bernoulli(x, logits):
    """Return the log density of a Bernoulli."""
    return x * logits - jax.nn.softplus(logits)


def encoded(params, images):
    """Return location and scale of the code of each image."""
    loc, scale = jnp.split(network(params["encoder"], images), 2, axis=-1)
    return loc, jax.nn.softplus(scale)


def normal_vae(params, key, images):
    """Pathwise."""
    loc, scale = encoded(params, images)
    code = loc + scale * jax.random.normal(key, loc.shape)
    pixels = bernoulli(images, network(params["decoder"], code))
    return jnp.sum(pixels) + jnp.sum(normal(code, 0.0, 1.0)) - jnp.sum(normal(code, loc, scale))


def switch_vae(params, key, images):
    """Score function: a switch is credited with its own density terms and the pixels of its image."""
    logits = network(params["encoder"], images)
    code = stop_gradient((jax.random.uniform(key, logits.shape) < jax.nn.sigmoid(logits)).astype(float))
    log_q = bernoulli(code, logits)
    pixels = jnp.sum(bernoulli(images, network(params["decoder"], code)), axis=-1)
    own = math.log(0.5) - log_q
    credit = stop_gradient(own + pixels[:, None]) * log_q
    return jnp.sum(pixels) + stop_gradient(jnp.sum(own)) + jnp.sum(credit - stop_gradient(credit))


def class_vae(params, key, images):
    """Every class is decoded, `(classes, batch, pixels)`, and weighted by its probability."""
    log_q = jax.nn.log_softmax(network(params["sorter"], images)).T
    loc, scale = encoded(params, images)
    style = loc + scale * jax.random.normal(key, loc.shape)
    hidden = jax.nn.leaky_relu(network(params["styles"], style) + params["kinds"][:, None])
    pixels = jnp.sum(bernoulli(images, network(params["decoder"], hidden)), axis=-1)
    each = jnp.sum(jnp.exp(log_q) * (pixels - math.log(CLASSES) - log_q))
    return each + jnp.sum(normal(style, 0.0, 1.0)) - jnp.sum(normal(style, loc, scale))


def attend(params, key, images):
    """A tree of prefixes: 1, 2, 4 and 8 branches, `(branches, batch, …)`; what follows a prefix is computed once."""
    batch = images.shape[0]
    noise = jax.random.normal(key, (STEPS, batch, CODE))
    state, present = network(params["encoder"], images)[None], jnp.ones((1, batch))
    weight, canvas, total = jnp.ones((1, batch)), jnp.zeros((1, 1, 1)), 0.0
    for step, prior in enumerate(PRESENCE):
        state = jnp.tanh(network(params["recurrent"], state) + present[..., None] * params["seen"])
        logit, loc, scale = jnp.split(network(params["head"], state), (1, 1 + CODE), axis=-1)
        scale = jax.nn.softplus(scale)
        chance = SLACK + (1 - 2 * SLACK) * jax.nn.sigmoid(logit[..., 0]) * present
        code = loc + scale * noise[step]
        total += jnp.sum(weight * jnp.sum(normal(code, 0.0, 1.0) - normal(code, loc, scale), axis=-1))
        before = SLACK + prior * present
        odds = jnp.stack([1 - chance, chance], axis=1)
        gain = jnp.log(jnp.stack([1 - before, before], axis=1)) - jnp.log(odds)
        total += jnp.sum(weight[:, None] * odds * gain)
        weight = (weight[:, None] * odds).reshape(-1, batch)
        picture = network(params["decoder"], code)
        shown = jnp.array([0.0, 1.0])[:, None, None] * picture[:, None]
        canvas = (canvas[:, None] + shown).reshape(-1, *picture.shape[1:])
        present = jnp.tile(jnp.array([0.0, 1.0]), len(odds))[:, None] * jnp.ones(batch)
        state = jnp.repeat(state + network(params["looked"], code), 2, axis=0)
    return total + jnp.sum(weight * jnp.sum(normal(images, canvas, 0.3), axis=-1))


ELBOS = {
    "logistic_regression": twins.logistic_regression,
    "radon": twins.radon,
    "normal_vae": normal_vae,
    "switch_vae": switch_vae,
    "class_vae": class_vae,
    "attend": attend,
}
