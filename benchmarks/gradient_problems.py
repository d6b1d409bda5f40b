"""Objectives whose gradient step is timed: pathwise, autoencoders with discrete latents, three dependent flips.

Each has a model and a guide as functions of the parameters; `gradient_twins.py` has the same by hand, in JAX alone.
Networks are lists of `(weights, biases)`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import problems
import twins

import vipl
import vipl.distributions as dist
from vipl.estimators import Enumerate, LeaveOneOut, MeasureValued, Reparam, ScoreFunction

PIXELS, HIDDEN, CODE, CLASSES, STEPS = 784, 200, 10, 10, 3
PRESENCE, SLACK = (0.5, 0.3, 0.1), 1e-3


def network(layers, x):
    """Run a network of leaky rectifiers, the last layer linear."""
    for weights, biases in layers[:-1]:
        x = jax.nn.leaky_relu(x @ weights + biases)
    weights, biases = layers[-1]
    return x @ weights + biases


def layers(key, *sizes):
    """Return the layers of a network with units of these numbers."""
    return [
        (jax.random.normal(jax.random.fold_in(key, i), (n, m)) / n**0.5, jnp.zeros(m))
        for i, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
    ]


@vipl.program
def mean_field_logistic(params):
    """Guide of the logistic regression."""
    loc, scale = params["loc"], jax.tree.map(jax.nn.softplus, params["scale"])
    vipl.sample("intercept", dist.Normal(loc["intercept"], scale["intercept"]))
    with vipl.plate("covariate", loc["weights"].size):
        vipl.sample("weights", dist.Normal(loc["weights"], scale["weights"]))


@vipl.program
def mean_field_radon(params):
    """Guide of the radon hierarchy: log-normal where the model is positive."""
    loc, scale = params["loc"], jax.tree.map(jax.nn.softplus, params["scale"])
    for name in ("level", "basement", "soil"):
        vipl.sample(name, dist.Normal(loc[name], scale[name]))
    for name in ("spread", "noise"):
        vipl.sample(name, dist.LogNormal(loc[name], scale[name]))
    with vipl.plate("county", problems.COUNTIES):
        vipl.sample("eta", dist.Normal(loc["eta"], scale["eta"]))


@vipl.program
def pictures(params, images):
    """Model of a variational autoencoder with a normal code."""
    with vipl.plate("image", len(images)):
        code = vipl.sample("code", dist.Normal(0.0, 1.0).expand([CODE]).to_event(1))
        vipl.sample("pixels", dist.Bernoulli(logits=network(params["decoder"], code)).to_event(1), obs=images)


@vipl.program
def encoder(params, images):
    """Guide of `pictures`."""
    loc, scale = jnp.split(network(params["encoder"], images), 2, axis=-1)
    with vipl.plate("image", len(images)):
        vipl.sample("code", dist.Normal(loc, jax.nn.softplus(scale)).to_event(1))


@vipl.program
def switched_pictures(params, images):
    """Model of an autoencoder with a plate of switches as its code."""
    with vipl.plate("image", len(images), dim=-2), vipl.plate("unit", CODE, dim=-1):
        code = vipl.sample("code", dist.Bernoulli(0.5))
    with vipl.plate("image", len(images)):
        logits = network(params["decoder"], code.astype(float))
        vipl.sample("pixels", dist.Bernoulli(logits=logits).to_event(1), obs=images)


@vipl.program
def switches(params, images):
    """Guide of `switched_pictures`."""
    logits = network(params["encoder"], images)
    with vipl.plate("image", len(images), dim=-2), vipl.plate("unit", CODE, dim=-1):
        vipl.sample("code", dist.Bernoulli(logits=logits), estimator=ScoreFunction())


@vipl.program
def sorted_pictures(params, images):
    """Model of an autoencoder with a class and a normal style for each image."""
    with vipl.plate("image", len(images)):
        kind = vipl.sample("kind", dist.Categorical(probs=jnp.full(CLASSES, 1 / CLASSES)))
        style = vipl.sample("style", dist.Normal(0.0, 1.0).expand([CODE]).to_event(1))
        hidden = jax.nn.leaky_relu(network(params["styles"], style) + params["kinds"][kind])
        vipl.sample("pixels", dist.Bernoulli(logits=network(params["decoder"], hidden)).to_event(1), obs=images)


@vipl.program
def sorting(params, images):
    """Guide of `sorted_pictures`; the classes are summed over."""
    logits = network(params["sorter"], images)
    loc, scale = jnp.split(network(params["encoder"], images), 2, axis=-1)
    with vipl.plate("image", len(images)):
        vipl.sample("kind", dist.Categorical(logits=logits), estimator=Enumerate())
        vipl.sample("style", dist.Normal(loc, jax.nn.softplus(scale)).to_event(1))


@vipl.program
def scenes(params, images):
    """Model of pictures made of up to three things, each there or not, as in Attend, Infer, Repeat."""
    with vipl.plate("image", len(images)):
        canvas, present = 0.0, 1
        for step, chance in enumerate(PRESENCE):
            present = vipl.sample(f"present{step}", dist.Bernoulli(SLACK + chance * present))
            code = vipl.sample(f"code{step}", dist.Normal(0.0, 1.0).expand([CODE]).to_event(1))
            canvas = canvas + present[:, None] * network(params["decoder"], code)
        vipl.sample("pixels", dist.Normal(canvas, 0.3).to_event(1), obs=images)


@vipl.program
def attending(params, images):
    """Guide of `scenes`: recurrent, so that every choice depends on those before; the presences are summed over."""
    state, present = network(params["encoder"], images), jnp.ones(len(images))
    with vipl.plate("image", len(images)):
        for step in range(STEPS):
            state = jnp.tanh(network(params["recurrent"], state) + present[:, None] * params["seen"])
            logit, loc, scale = jnp.split(network(params["head"], state), (1, 1 + CODE), axis=-1)
            chance = SLACK + (1 - 2 * SLACK) * jax.nn.sigmoid(logit[:, 0]) * present
            present = vipl.sample(f"present{step}", dist.Bernoulli(chance), estimator=Enumerate())
            code = vipl.sample(f"code{step}", dist.Normal(loc, jax.nn.softplus(scale)).to_event(1))
            state = state + network(params["looked"], code)


def parameters(name: str) -> dict:
    """Return the parameters of a problem."""
    key = jax.random.key(7)
    if name in twins.SHAPES:
        return twins.start(twins.SHAPES[name])
    return {
        name: layers(jax.random.fold_in(key, i), *sizes) if isinstance(sizes, tuple) else jnp.zeros(sizes)
        for i, (name, sizes) in enumerate(sorted(SIZES[name].items()))
    }


SIZES = {
    "normal_vae": {"encoder": (PIXELS, HIDDEN, 2 * CODE), "decoder": (CODE, HIDDEN, PIXELS)},
    "switch_vae": {"encoder": (PIXELS, HIDDEN, CODE), "decoder": (CODE, HIDDEN, PIXELS)},
    "class_vae": {
        "encoder": (PIXELS, HIDDEN, 2 * CODE),
        "sorter": (PIXELS, HIDDEN, CLASSES),
        "styles": (CODE, HIDDEN),
        "kinds": [CLASSES, HIDDEN],
        "decoder": (HIDDEN, PIXELS),
    },
    "attend": {
        "encoder": (PIXELS, HIDDEN),
        "recurrent": (HIDDEN, HIDDEN),
        "seen": [HIDDEN],
        "head": (HIDDEN, 1 + 2 * CODE),
        "looked": (CODE, HIDDEN),
        "decoder": (CODE, HIDDEN, PIXELS),
    },
}
PROGRAMS = {
    "logistic_regression": (problems.logistic_regression, mean_field_logistic),
    "radon": (problems.radon, mean_field_radon),
    "normal_vae": (pictures, encoder),
    "switch_vae": (switched_pictures, switches),
    "class_vae": (sorted_pictures, sorting),
    "attend": (scenes, attending),
}


def elbo(name: str):
    """Return the objective `(params, key, data)` of a problem, as a user of vipl writes it."""
    model, guide = PROGRAMS[name]
    if name in twins.SHAPES:
        return lambda params, key, data: vipl.objectives.elbo(key, model(*data), guide(params))
    return lambda params, key, data: vipl.objectives.elbo(key, model(params, *data), guide(params, *data))


def data(name: str, batch: int = 64) -> tuple:
    """Return the data of a problem."""
    if name in twins.SHAPES:
        return problems.data(name)
    kind = jnp.float32 if name == "attend" else jnp.int32
    return (jax.random.bernoulli(jax.random.key(3), 0.3, (batch, PIXELS)).astype(kind),)


def mixed(count):
    """Chains of pathwise normals and of scored flips, and what depends on them by three more estimators."""

    @vipl.expectation
    def objective(theta):
        level, hit, total = 0.0, 0, 0.0
        for i in range(count // 5):
            level = vipl.sample(f"level{i}", dist.Normal(0.5 * level + theta, 1.0), estimator=Reparam())
            flip = vipl.sample(f"flip{i}", dist.Bernoulli(logits=theta + 0.1 * level), estimator=Enumerate())
            hit = vipl.sample(f"hit{i}", dist.Bernoulli(logits=theta + 0.3 * hit), estimator=ScoreFunction())
            lamp = vipl.sample(f"lamp{i}", dist.Bernoulli(logits=theta + 0.1 * hit), estimator=MeasureValued())
            calls = vipl.sample(f"calls{i}", dist.Poisson(jnp.exp(0.1 * theta)), estimator=LeaveOneOut(2))
            total += (level - flip) ** 2 + (hit - lamp) ** 2 + 0.1 * calls
        return total

    return objective
