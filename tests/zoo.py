"""Families of distributions whose expectations are known exactly, by enumeration or quadrature.

    >>> float(BERNOULLI.expect(jnp.array([0.25]), lambda u: jnp.where(u > 0, 1.0, 0.0)))
    0.25

A family is a distribution over a vector of parameters, and one feature of its values, a number between −1 and 1 that
objectives are made of: smooth for pathwise estimators, else with a jump. Expectations are explicit sums over nodes
that do not move with the parameters, so that JAX differentiates them exactly, at every order; they nest. Nothing here
uses vipl but to name the distribution whose estimator is under test. Densities are written by hand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

import vipl.distributions as dist


@dataclasses.dataclass(frozen=True)
class Family:
    """One distribution with parameters.

    Attributes:
        name: how tests call it.
        make: the distribution for parameters `(..., num_parameters)`, of batch shape `(...)`.
        theta: the parameters to use. Objectives multiply them by 0.5 to 1.55.
        nodes: `(num_nodes, *event)`; the support, or the nodes of a quadrature.
        areas: `(num_nodes,)`; weights of the quadrature, ones for a discrete family.
        log_density: of parameters `(num_parameters,)` at the nodes.
        smooth: the feature of a value without a jump.
        jumpy: the feature of a value with a jump.
        continuous: whether values are.
    """

    name: str
    make: Callable
    theta: tuple[float, ...]
    nodes: np.ndarray
    areas: np.ndarray
    log_density: Callable
    smooth: Callable
    jumpy: Callable
    continuous: bool

    def expect(self, theta, f, *, smooth=False):
        """Return E f(feature) exactly."""
        return self.expect_with_density(theta, lambda u, _: f(u), smooth=smooth)

    def expect_with_density(self, theta, f, *, smooth=False):
        """Return E f(feature, log density) exactly."""
        log_density = self.log_density(theta, jnp.asarray(self.nodes))
        features = (self.smooth if smooth else self.jumpy)(jnp.asarray(self.nodes))
        return jnp.sum(self.areas * jnp.exp(log_density) * jax.vmap(f)(features, log_density))


def _panels(edges, count):
    """Gauss-Legendre nodes and weights, `count` between each two edges."""
    points, weights = np.polynomial.legendre.leggauss(count)
    edges = np.asarray(edges, float)
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    return (middle + half * points).ravel(), (half * weights).ravel()


def _unit_interval(count):
    """Nodes and weights on (0, 1) for densities that vanish at both ends: x = t²(3 − 2t)."""
    t, weights = _panels([0, 1], count)
    return t * t * (3 - 2 * t), weights * 6 * t * (1 - t)


def _wave(x):
    return jnp.sin(1.3 * x)


def _step(threshold):
    return lambda x: 0.4 * jnp.sin(1.3 * x) + jnp.where(x > threshold, 0.6, -0.2)


def _discrete(name, make, theta, size, log_mass):
    return Family(name, make, theta, np.arange(size), np.ones(size), log_mass, _wave, _step(0), False)


def _real(name, make, theta, grid, log_density, threshold=1.0, smooth=_wave):
    return Family(name, make, theta, *grid, log_density, smooth, _step(threshold), True)


def _binomial_log_mass(count):
    def log_mass(t, x):
        ways = gammaln(count + 1.0) - gammaln(x + 1.0) - gammaln(count - x + 1.0)
        return ways + x * jnp.log(t[0]) + (count - x) * jnp.log1p(-t[0])

    return log_mass


def _normal_log_density(t, x):
    return -0.5 * ((x - t[0]) / t[1]) ** 2 - jnp.log(t[1]) - 0.5 * np.log(2 * np.pi)


def _gamma_log_density(concentration, rate, x):
    return concentration * jnp.log(rate) + (concentration - 1) * jnp.log(x) - rate * x - gammaln(concentration)


def _dirichlet_log_density(t, x):
    return gammaln(jnp.sum(t)) - jnp.sum(gammaln(t)) + jnp.sum((t - 1) * jnp.log(x), axis=-1)


def _simplex(count):
    """Nodes and weights on the simplex of three: one stick broken twice."""
    points, weights = _unit_interval(count)
    first, second = (p.ravel() for p in np.meshgrid(points, points, indexing="ij"))
    nodes = np.stack([first, (1 - first) * second, (1 - first) * (1 - second)], axis=-1)
    return nodes, np.outer(weights, weights).ravel() * (1 - first)


_LINE = _panels(np.arange(-7, 8.51, 0.5), 5)
_HALF_LINE = _panels([0, 0.02, 0.1, 0.3, 0.6, 1, 1.5, 2, 3, 4, 5, 6.5, 8, 10, 13, 17, 22, 29, 40], 6)

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
    lambda x: _wave(x[..., 0] + 2.0 * x[..., 1]),
    lambda x: _step(0)(x[..., 0] + 2.0 * x[..., 1]) - 0.3 * x[..., 0],
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
NORMAL = _real("normal", lambda t: dist.Normal(t[..., 0], t[..., 1]), (0.4, 0.8), _LINE, _normal_log_density)
LOG_NORMAL = _real(
    "log_normal",
    lambda t: dist.LogNormal(t[..., 0], t[..., 1]),
    (0.2, 0.5),
    (np.exp(_LINE[0]), _LINE[1] * np.exp(_LINE[0])),
    lambda t, x: _normal_log_density(t, jnp.log(x)) - jnp.log(x),
    smooth=lambda x: jnp.sin(1.3 * jnp.log(x)),
)
EXPONENTIAL = _real(
    "exponential", lambda t: dist.Exponential(t[..., 0]), (1.3,), _HALF_LINE, lambda t, x: jnp.log(t[0]) - t[0] * x
)
GAMMA = _real(
    "gamma",
    lambda t: dist.Gamma(t[..., 0], t[..., 1]),
    (2.5, 1.5),
    _HALF_LINE,
    lambda t, x: _gamma_log_density(t[0], t[1], x),
    smooth=lambda x: jnp.sin(0.8 * x),
)
GAMMA_RATE = _real(
    "gamma_rate",
    lambda t: dist.Gamma(2.5, t[..., 0]),
    (1.5,),
    _HALF_LINE,
    lambda t, x: _gamma_log_density(2.5, t[0], x),
)
BETA = _real(
    "beta",
    lambda t: dist.Beta(t[..., 0], t[..., 1]),
    (3.0, 4.0),
    _unit_interval(40),
    lambda t, x: _dirichlet_log_density(t, jnp.stack([x, 1 - x], axis=-1)),
    smooth=lambda x: jnp.sin(4 * x - 1),
)
DIRICHLET = _real(
    "dirichlet",
    dist.Dirichlet,
    (3.0, 3.5, 4.0),
    _simplex(18),
    _dirichlet_log_density,
    smooth=lambda x: jnp.sin(4 * x[..., 0] - 3 * x[..., 1]),
)
UNIFORM = _real(  # its bounds are fixed: only the objective depends on the parameter
    "uniform",
    lambda t: dist.Uniform(0 * t[..., 0] - 1, 2.0),
    (0.7,),
    _panels([-1, 1, 2], 8),
    lambda t, x: jnp.full(x.shape, -np.log(3.0)),
)
FAMILIES = {
    family.name: family
    for family in (
        BERNOULLI,
        CATEGORICAL,
        PAIR,
        BINOMIAL,
        POISSON,
        GEOMETRIC,
        NORMAL,
        LOG_NORMAL,
        EXPONENTIAL,
        GAMMA,
        GAMMA_RATE,
        BETA,
        DIRICHLET,
        UNIFORM,
    )
}
