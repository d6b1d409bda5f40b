"""Objectives without variance: the same value and derivatives from any key."""

import jax
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import estimators

ENUMERATE = estimators.Enumerate()


def flip(address, p, estimator=ENUMERATE):
    return vipl.sample(address, dist.Bernoulli(p), estimator=estimator)


def assert_equal_with_derivatives(objective, exact, p=0.4, tolerance=1e-10, *, second=False):
    """Value and gradient, and the second derivative by both modes, each of one key."""
    key = jax.random.key(0)

    def orders(f):
        first = (f(p), jax.grad(f)(p))
        return (*first, jax.grad(jax.grad(f))(p), jax.jacfwd(jax.jacfwd(f))(p)) if second else first

    found = jax.jit(lambda: orders(lambda p: objective(key, p)))()
    np.testing.assert_allclose(found, jax.jit(lambda: orders(exact))(), rtol=tolerance)
