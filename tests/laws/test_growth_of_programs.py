"""A gradient's equations grow linearly with the number of choices; elsewhere exponentially, or it crashes."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import estimators


def equations(function, *args):
    """Count the equations of a function, those inside others too."""

    def count(jaxpr):
        inner = [count(sub) for eqn in jaxpr.eqns for sub in subjaxprs(eqn)]
        return len(jaxpr.eqns) + sum(inner)

    def subjaxprs(eqn):
        for value in eqn.params.values():
            for item in value if isinstance(value, tuple | list) else [value]:
                item = getattr(item, "jaxpr", item)
                if hasattr(item, "eqns"):
                    yield item

    return count(jax.make_jaxpr(function)(*args).jaxpr)


def flips(count):
    @vipl.expectation
    def objective(p):
        draws = [vipl.sample(f"x{i}", dist.Bernoulli(p), estimator=estimators.Enumerate()) for i in range(count)]
        return sum((i + 1.0) * jnp.exp(0.1 * x) for i, x in enumerate(draws))

    return objective


def test_enumerating_independent_flips_is_linear():
    """Elsewhere: 13 006 equations for 8 flips."""
    sizes = [equations(jax.grad(flips(n), argnums=1), jax.random.key(0), 0.3) for n in (8, 16, 32)]
    assert sizes[2] / sizes[1] <= 2.2
    assert sizes[1] / sizes[0] <= 2.2
    for n in (8, 32):
        slope = jax.jit(jax.grad(flips(n), argnums=1))(jax.random.key(0), 0.3)
        np.testing.assert_allclose(slope, n * (n + 1) / 2 * np.expm1(0.1), rtol=1e-5)


@pytest.mark.slow
def test_two_hundred_sites_in_a_loop():
    def objective(count):
        @vipl.expectation
        def total(p):
            level, cost = 0.0, 0.0
            for i in range(count // 2):
                x = vipl.sample(f"x{i}", dist.Bernoulli(p), estimator=estimators.ScoreFunction())
                level = vipl.sample(f"y{i}", dist.Normal(0.5 * level + x, 1.0), estimator=estimators.Reparam())
                cost = cost + level**2
            return cost

        return jax.grad(total, argnums=1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few, many = (equations(objective(n), jax.random.key(0), 0.3) for n in (100, 200))
    assert many / few <= 2.2
