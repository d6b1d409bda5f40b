"""An objective of pathwise choices alone is the estimator by hand: hardly an equation more, and no weight anywhere."""

import jax
import jax.numpy as jnp
import pytest
from gradient_problems import elbo, parameters
from gradient_twins import ELBOS
from jaxprs import equations

import vipl
import vipl.distributions as dist
from vipl.estimators import Reparam, ScoreFunction


def outline(shape, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(shape, dtype)


DATA = {
    "logistic_regression": (outline((569, 30)), outline((569,), jnp.int32)),
    "radon": (outline((919,), jnp.int32), outline((919,)), outline((919,)), outline((919,))),
    "normal_vae": (outline((64, 784), jnp.int32),),
    "switch_vae": (outline((64, 784), jnp.int32),),
}


def overhead(name):
    """Return the equations that the value and gradient need, relative to those by hand."""
    args = parameters(name), jax.random.key(0), DATA[name]
    by_hand = ELBOS[name]
    ours = equations(jax.value_and_grad(elbo(name)), *args, needed=True)
    return ours / equations(
        jax.value_and_grad(lambda params, key, data: by_hand(params, key, *data)), *args, needed=True
    )


@pytest.mark.parametrize("name", ["logistic_regression", "radon", "normal_vae"])
def test_hardly_more_equations_than_by_hand(name):
    assert overhead(name) <= 1.05


def test_a_scored_objective_has_more():
    assert overhead("switch_vae") > 1.05


def chain(estimator, count):
    @vipl.expectation
    def objective(loc):
        x, total = loc, 0.0
        for i in range(count):
            x = vipl.sample(f"x{i}", dist.Normal(x, 1.0), estimator=estimator)
            total += x**2
        return total

    return objective


def chain_by_hand(key, loc, *, count):
    noise, x, total = jax.random.normal(key, (count,)), loc, 0.0
    for i in range(count):
        x = x + noise[i]
        total += x**2
    return total


def test_a_chain_has_the_equations_by_hand():
    def count(function):
        return equations(jax.value_and_grad(function, argnums=1), jax.random.key(0), 0.5)

    by_hand = count(lambda key, loc: chain_by_hand(key, loc, count=40))
    assert count(chain(Reparam(), 40)) <= 1.05 * by_hand
    assert count(chain(ScoreFunction(), 40)) > 1.05 * by_hand
