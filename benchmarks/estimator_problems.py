"""Five problems with a discrete choice, to measure gradient estimators on: each an objective of `(params, data)`.

The choice is at the address "z" in each; its estimator is what differs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

import vipl
import vipl.distributions as dist


@dataclasses.dataclass(frozen=True)
class Problem:
    """A problem.

    Attributes:
        title: in words.
        objective: an expectation of `params`.
        params: of the choice's distribution, where the gradient is taken.
    """

    title: str
    objective: Callable
    params: dict


def _digits(count: int) -> np.ndarray:
    return (load_digits().images.reshape(-1, 64)[:count] > 7.5).astype(np.float32)


def _normal(seed: int, *shape: int, scale: float = 0.3) -> jax.Array:
    return scale * jax.random.normal(jax.random.key(seed), shape)


def toy() -> Problem:
    """One coin, E (b − 0.49)²: the problem that REBAR was introduced with."""

    @vipl.expectation
    def objective(params):
        return (vipl.sample("z", dist.Bernoulli(logits=params["logit"])) - 0.49) ** 2

    return Problem("one coin", objective, {"logit": jnp.array(0.5)})


def elbo_of(model, guide):
    """Return the ELBO of a guide of `params`."""

    @vipl.expectation
    def objective(params):
        trace = vipl.simulate(guide(params))
        return vipl.log_density(model(), trace) - trace.log_density

    return objective


def discrete_vae(num_images: int = 24, num_codes: int = 10) -> Problem:
    """A category for each image of a digit, in one-hot form, and a linear decoder."""
    images, decode = _digits(num_images), _normal(0, num_codes, 64)

    @vipl.program
    def model():
        with vipl.plate("n", num_images):
            z = vipl.sample("z", dist.OneHotCategorical(logits=jnp.zeros(num_codes)))
            vipl.sample("x", dist.Bernoulli(logits=z @ decode).to_event(1), obs=images)

    @vipl.program
    def guide(params):
        with vipl.plate("n", num_images):
            vipl.sample("z", dist.OneHotCategorical(logits=images @ params["encode"]))

    params = {"encode": _normal(1, 64, num_codes)}
    return Problem("discrete VAE", elbo_of(model, guide), params)


def mixture(num_points: int = 200, num_components: int = 4) -> Problem:
    """A mixture of normals in the plane, with the component of each point as a choice."""
    centres = jnp.array([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    rng = np.random.default_rng(0)
    points = centres[rng.integers(4, size=num_points)] + np.float32(0.7 * rng.normal(size=(num_points, 2)))

    @vipl.program
    def model():
        with vipl.plate("n", num_points):
            z = vipl.sample("z", dist.Categorical(logits=jnp.zeros(num_components)))
            vipl.sample("x", dist.Normal(0.5 * centres[z], 0.7).to_event(1), obs=points)

    @vipl.program
    def guide(params):
        with vipl.plate("n", num_points):
            vipl.sample("z", dist.Categorical(logits=params["logits"]))

    params = {"logits": _normal(0, num_points, num_components)}
    return Problem("mixture", elbo_of(model, guide), params)


def hidden_markov(length: int = 50, num_states: int = 3) -> Problem:
    """A hidden Markov chain; guide and model go through it in one scan."""
    rng = np.random.default_rng(0)
    data = np.float32(np.repeat(rng.integers(num_states, size=length // 5), 5) + 0.5 * rng.normal(size=length))

    @vipl.expectation
    def objective(params):
        def step(before, x):
            z = vipl.sample("z", dist.Categorical(logits=params["stay"][before] + x * params["slope"]))
            stays = jax.nn.log_softmax(2.0 * jnp.eye(num_states))[before, z]
            fits = -0.5 * ((x - z) / 0.5) ** 2
            own = jax.nn.log_softmax(params["stay"][before] + x * params["slope"])[z]
            return z, stays + fits - own

        _, costs = jax.lax.scan(step, 0, data)
        return jnp.sum(costs)

    params = {"stay": _normal(0, num_states, num_states), "slope": _normal(1, num_states)}
    return Problem("hidden Markov chain", objective, params)


def sigmoid_belief_network(num_images: int = 24, num_units: int = 20) -> Problem:
    """A layer of coins above each image of a digit, all of which the decoder mixes."""
    images, decode = _digits(num_images), _normal(0, num_units, 64)
    mean = images.mean(axis=0)
    bias = jnp.log((mean + 0.02) / (1.02 - mean))

    @vipl.program
    def model():
        with vipl.plate("n", num_images):
            z = vipl.sample("z", dist.Bernoulli(logits=jnp.zeros((num_images, num_units))).to_event(1))
            vipl.sample("x", dist.Bernoulli(logits=z @ decode + bias).to_event(1), obs=images)

    @vipl.program
    def guide(params):
        with vipl.plate("n", num_images):
            vipl.sample("z", dist.Bernoulli(logits=images @ params["encode"]).to_event(1))

    params = {"encode": _normal(1, 64, num_units, scale=0.2)}
    return Problem("sigmoid belief network", elbo_of(model, guide), params)


PROBLEMS = {f.__name__: f for f in (toy, discrete_vae, mixture, hidden_markov, sigmoid_belief_network)}
