"""Discrete families: expectations by enumeration."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

import vipl.distributions as dist
from vipl.testing.families.family import Family
from vipl.testing.families.features import step, wave


def _discrete(name, make, theta, size, log_mass):
    return Family(name, make, theta, np.arange(size), np.ones(size), log_mass, wave, step(0), False)


def _binomial_log_mass(count):
    def log_mass(t, x):
        ways = gammaln(count + 1.0) - gammaln(x + 1.0) - gammaln(count - x + 1.0)
        return ways + x * jnp.log(t[0]) + (count - x) * jnp.log1p(-t[0])

    return log_mass


BERNOULLI = _discrete(
    "bernoulli",
    lambda t: dist.Bernoulli(t[..., 0]),
    (0.35,),
    2,
    lambda t, x: jnp.log(jnp.where(x == 1, t[0], 1 - t[0])),
)
CATEGORICAL = _discrete(
    "categorical",
    lambda t: dist.Categorical(logits=jnp.concatenate([t, jnp.zeros_like(t[..., :1])], axis=-1)),
    (0.4, -0.6),
    3,
    lambda t, x: jax.nn.log_softmax(jnp.append(t, 0.0))[x],
)
PAIR = Family(
    "bernoulli_pair",
    lambda t: dist.Bernoulli(logits=t).to_event(1),
    (0.4, -0.7),
    np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
    np.ones(4),
    lambda t, x: jnp.sum(x * t - jnp.logaddexp(0.0, t), axis=-1),
    lambda x: wave(x[..., 0] + 2.0 * x[..., 1]),
    lambda x: step(0)(x[..., 0] + 2.0 * x[..., 1]) - 0.3 * x[..., 0],
    False,
)
ONE_HOT = Family(
    "one_hot",
    lambda t: dist.OneHotCategorical(logits=jnp.concatenate([t, jnp.zeros_like(t[..., :1])], axis=-1)),
    (0.4, -0.6),
    np.eye(3),
    np.ones(3),
    lambda t, x: x @ jax.nn.log_softmax(jnp.append(t, 0.0)),
    lambda x: wave(x[..., 1] + 2.0 * x[..., 2]),
    lambda x: step(0)(x[..., 1] + 2.0 * x[..., 2]),
    False,
)
BINOMIAL = _discrete("binomial", lambda t: dist.Binomial(4, t[..., 0]), (0.35,), 5, _binomial_log_mass(4))
POISSON = _discrete(
    "poisson",
    lambda t: dist.Poisson(t[..., 0]),
    (1.4,),
    27,
    lambda t, x: x * jnp.log(t[0]) - t[0] - gammaln(x + 1.0),
)
GEOMETRIC = _discrete(
    "geometric",
    lambda t: dist.Geometric(t[..., 0]),
    (0.45,),
    100,
    lambda t, x: x * jnp.log1p(-t[0]) + jnp.log(t[0]),
)
