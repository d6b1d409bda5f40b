"""Derivatives of densities as differences of two densities: d p_θ / dθ = c (p⁺ − p⁻).

One function for each family. It draws a value x of p_θ and, for each parameter, a pair x⁺, x⁻, coupled where that
lowers the variance, and returns them with the parameter and c.

Source: Pflug 1996; Mohamed et al. 2020, JMLR 21(132), table 1; the discrete families by differentiating the
probabilities.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from vipl.estimators.measure.first_order import without_derivative


@dataclasses.dataclass(frozen=True)
class Pair:
    """A parameter, the coefficient c, and values x⁺ and x⁻ (x⁻ None: there is no negative part)."""

    parameter: object
    coefficient: object
    plus: object
    minus: object


def _bernoulli(d, key, shape):
    x = jax.random.bernoulli(key, d.probs, shape).astype(jnp.result_type(int))
    return x, [Pair(d.probs, 1.0, jnp.ones_like(x), jnp.zeros_like(x))]


def _categorical(d, key, shape):
    logits = d.logits
    x = jax.random.categorical(key, logits, shape=shape)
    probs = jnp.broadcast_to(d.probs, (*shape, d.probs.shape[-1]))
    return x, [Pair(probs[..., k], 1.0, jnp.full_like(x, k), None) for k in range(probs.shape[-1])]


def _normal(d, key, shape):
    key_x, key_rayleigh, key_maxwell, key_uniform = jax.random.split(key, 4)
    dtype = jnp.result_type(float)
    x = d.loc + d.scale * jax.random.normal(key_x, shape, dtype)
    rayleigh = jnp.sqrt(-2 * jnp.log1p(-jax.random.uniform(key_rayleigh, shape, dtype)))
    gaussians = jax.random.normal(key_maxwell, (4, *shape), dtype)
    # A double-sided Maxwell, and a normal coupled with it: Maxwell times uniform.
    maxwell = jnp.sign(gaussians[3]) * jnp.sqrt(jnp.sum(gaussians[:3] ** 2, axis=0))
    uniform = jax.random.uniform(key_uniform, shape, dtype)
    by_loc = Pair(d.loc, 1 / (d.scale * jnp.sqrt(2 * jnp.pi)), d.loc + d.scale * rayleigh, d.loc - d.scale * rayleigh)
    by_scale = Pair(d.scale, 1 / d.scale, d.loc + d.scale * maxwell, d.loc + d.scale * maxwell * uniform)
    return x, [by_loc, by_scale]


def _poisson(d, key, shape):
    x = jax.random.poisson(key, d.rate, shape)
    return x, [Pair(d.rate, 1.0, x + 1, x)]


def _exponential(d, key, shape):
    first, second = jax.random.exponential(key, (2, *shape)) / d.rate
    return first, [Pair(d.rate, 1 / d.rate, first, first + second)]


def _gamma(d, key, shape):
    key_gamma, key_exponential = jax.random.split(key)
    concentration = without_derivative(d.concentration)
    x = jax.random.gamma(key_gamma, concentration, shape) / d.rate
    more = x + jax.random.exponential(key_exponential, shape) / d.rate
    return x, [Pair(d.rate, concentration / d.rate, x, more)]


def _laplace(d, key, shape):
    key_sign, key_size = jax.random.split(key)
    sign = jax.random.rademacher(key_sign, shape, jnp.result_type(float))
    first, second = jax.random.exponential(key_size, (2, *shape))
    x = d.loc + d.scale * sign * first
    by_loc = Pair(d.loc, 1 / (2 * d.scale), d.loc + d.scale * first, d.loc - d.scale * first)
    return x, [by_loc, Pair(d.scale, 1 / d.scale, x + d.scale * sign * second, x)]


def _half_normal(d, key, shape):
    key_gaussian, key_uniform = jax.random.split(key)
    maxwell = jnp.sqrt(jnp.sum(jax.random.normal(key_gaussian, (3, *shape)) ** 2, axis=0))
    x = d.scale * maxwell * jax.random.uniform(key_uniform, shape)
    return x, [Pair(d.scale, 1 / d.scale, d.scale * maxwell, x)]


def _weibull(d, key, shape):
    concentration = without_derivative(d.concentration)
    first, second = jax.random.exponential(key, (2, *shape))
    power = lambda e: d.scale * e ** (1 / concentration)  # noqa: E731
    return power(first), [Pair(d.scale, concentration / d.scale, power(first + second), power(first))]


def _gamma_poisson(d, key, shape):
    key_rate, key_count, key_more = jax.random.split(key, 3)
    rate, [pair] = _gamma(d, key_rate, shape)
    x = jax.random.poisson(key_count, jax.lax.stop_gradient(rate), shape)
    more = jax.random.poisson(key_more, jax.lax.stop_gradient(pair.minus - rate), shape)
    return x, [Pair(d.rate, pair.coefficient, x, x + more)]


def _multivariate_normal(d, key, shape):
    """Decompose in the coordinates in which the distribution is standard; `PUSHES` maps back."""
    unit = dist.Normal(jnp.zeros(shape), 1.0)
    z, [by_loc, by_scale] = _normal(unit, key, shape)
    standard = jax.lax.stop_gradient(d.scale_tril)

    def solve(right):
        left, right = jnp.broadcast_arrays(standard, right)
        return jax.scipy.linalg.solve_triangular(left, right, lower=True)

    moved = solve((d.loc - jax.lax.stop_gradient(d.loc))[..., None] + jnp.zeros_like(standard))[..., 0]
    turned = solve(d.scale_tril)  # the identity, with derivatives
    # Below the diagonal, z_j moves the location of z_i.
    moved = moved + jnp.sum(jnp.tril(turned, -1) * jax.lax.stop_gradient(z)[..., None, :], axis=-1)
    diagonal = jnp.diagonal(turned, axis1=-2, axis2=-1)
    return z, [
        dataclasses.replace(by_loc, parameter=moved),
        dataclasses.replace(by_scale, parameter=jnp.broadcast_to(diagonal, shape)),
    ]


def _geometric(d, key, shape):
    first, second = (dist.GeometricProbs(d.probs).expand(shape).sample(k) for k in jax.random.split(key))
    return first, [Pair(d.probs, 1 / d.probs, first, 1 + first + second)]


def _binomial(d, key, shape):
    key_rest, key_last = jax.random.split(key)
    rest = dist.BinomialProbs(d.probs, d.total_count - 1).expand(shape).sample(key_rest)
    x = rest + jax.random.bernoulli(key_last, d.probs, shape)
    return x, [Pair(d.probs, jnp.asarray(d.total_count, jnp.result_type(float)), rest + 1, rest)]


DECOMPOSITIONS = {
    dist.BernoulliProbs: _bernoulli,
    dist.BernoulliLogits: _bernoulli,
    dist.CategoricalProbs: _categorical,
    dist.CategoricalLogits: _categorical,
    dist.Normal: _normal,
    dist.LogNormal: lambda d, key, shape: _normal(d.base_dist, key, shape),
    dist.MultivariateNormal: _multivariate_normal,
    dist.HalfNormal: _half_normal,
    dist.Laplace: _laplace,
    dist.Weibull: _weibull,
    dist.Poisson: _poisson,
    dist.GammaPoisson: _gamma_poisson,
    dist.NegativeBinomial2: _gamma_poisson,
    dist.NegativeBinomialProbs: _gamma_poisson,
    dist.NegativeBinomialLogits: _gamma_poisson,
    dist.Exponential: _exponential,
    dist.Gamma: _gamma,
    dist.GeometricProbs: _geometric,
    dist.GeometricLogits: _geometric,
    dist.BinomialProbs: _binomial,
    dist.BinomialLogits: _binomial,
}

# How values are mapped where the decomposition is in other coordinates.
PUSHES = {
    dist.LogNormal: lambda d, x: jnp.exp(x),
    dist.MultivariateNormal: lambda d, z: d.loc + jnp.matmul(d.scale_tril, z[..., None])[..., 0],
}
