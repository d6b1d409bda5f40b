"""A fit that got worse says so in its status; one that got better, or stayed, does not."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl.infer.training.trouble import fall_of


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("data", y.shape[0]):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


def status(optimizer):
    options = {"optimizer": optimizer, "num_steps": 500, "progress": False}
    return vipl.infer(model(jnp.array([1.0, 2.0])), key=jax.random.key(0), **options).status


def test_a_negative_learning_rate_is_a_status():
    assert status(optax.adam(-0.03)).startswith("diverged: the objective fell from")


def test_a_good_fit_is_finished():
    assert status(optax.adam(0.03)) == "finished"


def test_a_stationary_history_has_not_fallen():
    noise = np.random.default_rng(0).normal(size=1000)
    assert fall_of(noise) == ""
    assert fall_of(noise - np.linspace(0, 100, 1000))
    assert fall_of(noise[:50]) == ""
