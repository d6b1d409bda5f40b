"""Continuous families: expectations by quadrature."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

import vipl.distributions as dist
from vipl.testing.families.family import Family
from vipl.testing.families.features import step, wave
from vipl.testing.families.quadrature import HALF_LINE, LINE, panels, simplex, unit_interval


def _continuous(name, make, theta, grid, log_density, threshold=1.0, smooth=wave):
    nodes, areas = grid
    return Family(name, make, theta, nodes, areas, log_density, smooth, step(threshold), True)


def _normal_log_density(t, x):
    return -0.5 * ((x - t[0]) / t[1]) ** 2 - jnp.log(t[1]) - 0.5 * np.log(2 * np.pi)


def _gamma_log_density(concentration, rate, x):
    return concentration * jnp.log(rate) + (concentration - 1) * jnp.log(x) - rate * x - gammaln(concentration)


def _dirichlet_log_density(t, x):
    return gammaln(jnp.sum(t)) - jnp.sum(gammaln(t)) + jnp.sum((t - 1) * jnp.log(x), axis=-1)


NORMAL = _continuous("normal", lambda t: dist.Normal(t[..., 0], t[..., 1]), (0.4, 0.8), LINE, _normal_log_density)
LOG_NORMAL = _continuous(
    "log_normal",
    lambda t: dist.LogNormal(t[..., 0], t[..., 1]),
    (0.2, 0.5),
    (np.exp(LINE[0]), LINE[1] * np.exp(LINE[0])),
    lambda t, x: _normal_log_density(t, jnp.log(x)) - jnp.log(x),
    smooth=lambda x: jnp.sin(1.3 * jnp.log(x)),
)
EXPONENTIAL = _continuous(
    "exponential",
    lambda t: dist.Exponential(t[..., 0]),
    (1.3,),
    HALF_LINE,
    lambda t, x: jnp.log(t[0]) - t[0] * x,
    smooth=lambda x: jnp.sin(0.5 * x),
)
GAMMA = _continuous(
    "gamma",
    lambda t: dist.Gamma(t[..., 0], t[..., 1]),
    (2.5, 1.5),
    HALF_LINE,
    lambda t, x: _gamma_log_density(t[0], t[1], x),
    smooth=lambda x: jnp.sin(0.8 * x),
)
GAMMA_RATE = _continuous(
    "gamma_rate",
    lambda t: dist.Gamma(2.5, t[..., 0]),
    (1.3,),
    HALF_LINE,
    lambda t, x: _gamma_log_density(2.5, t[0], x),
    smooth=lambda x: jnp.sin(0.8 * x),
)
BETA = _continuous(
    "beta",
    lambda t: dist.Beta(t[..., 0], t[..., 1]),
    (3.0, 4.0),
    unit_interval(20),
    lambda t, x: _dirichlet_log_density(t, jnp.stack([x, 1 - x], axis=-1)),
    threshold=0.5,
    smooth=lambda x: jnp.sin(4 * x - 1),
)
DIRICHLET = Family(
    "dirichlet",
    dist.Dirichlet,
    (3.0, 3.5, 4.0),
    *simplex(9),
    _dirichlet_log_density,
    lambda x: jnp.sin(4 * x[..., 0] - 3 * x[..., 1]),
    lambda x: step(0.5)(x[..., 0]),
    True,
)
UNIFORM = _continuous(  # its bounds are fixed: only the objective depends on the parameter
    "uniform",
    lambda t: dist.Uniform(0 * t[..., 0] - 1, 2.0),
    (0.7,),
    panels([-1, 1, 2], 8),
    lambda t, x: jnp.full(x.shape, -np.log(3.0)),
)
_MIXTURE_SCALES = np.array([0.6, 0.9])


def _mixture(t):
    logits = jnp.stack([t[..., 0], jnp.zeros_like(t[..., 0])], axis=-1)
    parts = dist.Normal(jnp.stack([t[..., 1], -t[..., 1]], axis=-1), _MIXTURE_SCALES)
    return dist.MixtureSameFamily(dist.Categorical(logits=logits), parts)


def _mixture_log_density(t, x):
    first, second = (
        _normal_log_density((s * t[1], scale), x) for s, scale in zip((1, -1), _MIXTURE_SCALES, strict=True)
    )
    return jnp.logaddexp(t[0] + first, second) - jnp.logaddexp(t[0], 0.0)


NORMAL_MIXTURE = _continuous("normal_mixture", _mixture, (0.6, 1.2), LINE, _mixture_log_density)
