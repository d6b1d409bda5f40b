"""Terms stay apart through linear equations, and come out right where shapes are stretched."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import estimators

P = 0.3


def bernoulli(estimator, address="z"):
    return vipl.sample(address, dist.Bernoulli(P), estimator=estimator) * 1.0


def _number(estimator, address="n"):
    """Return how many of three flips come up."""
    return vipl.sample(address, dist.Binomial(3, P), estimator=estimator)


_ODD = 3 * P * (1 - P) ** 2 + P**3

OBJECTIVES = {
    # name: (objective of an estimator, exact value)
    "plain term stretched": (lambda e: jnp.sum(jnp.stack([bernoulli(e)] * 3) + jnp.ones(1)), 3 * P + 3),
    "choice stretched": (lambda e: jnp.sum(bernoulli(e)[None] + jnp.ones(3)), 3 * P + 3),
    "choice stretched, then squared": (lambda e: jnp.sum((bernoulli(e)[None] + jnp.ones(3)) ** 2), 3 * (4 * P + 1 - P)),
    "scaled and shifted": (lambda e: (bernoulli(e) - 2.0) * 3.0 / 2.0 - 1.0, (P - 2) * 1.5 - 1),
    "two apart": (lambda e: bernoulli(e) - 2 * bernoulli(e, "w"), P - 2 * P),
    "transposed": (lambda e: jnp.sum((bernoulli(e) * jnp.ones((2, 3))).T * jnp.arange(2.0)), 3 * P),
    "reshaped": (lambda e: jnp.sum((bernoulli(e) * jnp.ones((2, 3))).reshape(6)[:, None]), 6 * P),
    "integers": (lambda e: 1.0 * sum(vipl.sample(f"x{i}", dist.Bernoulli(P), estimator=e) for i in range(4)), 4 * P),
    "quotient of integers": (lambda e: 1.0 * (_number(e) // 2), P**3 + 3 * P**2 * (1 - P)),
    "quotient and remainder": (lambda e: 1.0 * (jax.lax.div(_number(e), 3) + _number(e, "m") % 2), P**3 + _ODD),
    "booleans": (lambda e: jnp.float32(bernoulli(e) + bernoulli(e, "w") > 0), 1 - (1 - P) ** 2),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_enumeration_is_exact(name):
    objective, exact = OBJECTIVES[name]
    value = vipl.expectation(lambda: objective(estimators.Enumerate()))(jax.random.key(0))
    np.testing.assert_allclose(value, exact, rtol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_score_function_has_the_value_of_a_draw(name):
    """One draw: its value must be one that the objective can have, so its mean over keys is near the exact one."""
    objective, exact = OBJECTIVES[name]
    estimate = vipl.expectation(lambda: objective(estimators.ScoreFunction()))
    values = jax.jit(jax.vmap(estimate))(jax.random.split(jax.random.key(1), 4000))
    assert abs(values.mean() - exact) <= 4.5 * values.std() / np.sqrt(4000) + 1e-6
