"""Densities of the commonest distributions, written with as few operations as by hand.

    FORMULAS[dist.Normal.log_prob](dist.Normal(0.0, 1.0), 0.3)    # log density, no checks

NumPyro's own `log_prob` is longer for these (constants computed at run time, clamps, nested calls), and every
site of every program pays for it when compiling. Each formula takes a value known to lie in the support
and returns an array that broadcasts to the batch shape. A test holds each against NumPyro and SciPy.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jax.scipy.special import betaln, gammaln

from vipl.distributions.log_sigmoid import log_sigmoid

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)
_LOG_SQRT_HALF_PI = 0.5 * math.log(math.pi / 2)


def _log(x):
    """Return log x; of a number known now as a number, so that nothing is left to compute."""
    return math.log(x) if isinstance(x, float) and x > 0 else jnp.log(x)


def _loc_scale(d):
    """Return both parameters, scalars as scalars.

    NumPyro pads a scalar with axes of size one to the rank of the other parameter, and XLA then computes the whole
    standardised value again for each of its uses: 4 % of a step of `benchmarks/gradient_step.py radon`.
    """
    return (jnp.reshape(p, ()) if jnp.ndim(p) and jnp.size(p) == 1 else p for p in (d.loc, d.scale))


def _standardised(d, x):
    """Return (x − loc) / scale, without the parts that a standard distribution does not need; and the scale."""
    loc, scale = _loc_scale(d)
    centred = _is_number(loc, 0.0) and jnp.issubdtype(jnp.result_type(x), jnp.floating)
    z = x if centred else x - loc
    return z if _is_number(scale, 1.0) else z / scale, scale


def _is_number(parameter, number: float) -> bool:
    return isinstance(parameter, float) and parameter == number


def _normal(d, x):
    z, scale = _standardised(d, x)
    return -0.5 * lax.square(z) - (_log(scale) + _LOG_SQRT_2PI)


def _half_normal(d, x):
    return -0.5 * lax.square(x / d.scale) - (_log(d.scale) + _LOG_SQRT_HALF_PI)


def _cauchy(d, x):
    z, scale = _standardised(d, x)
    return -jnp.log1p(z * z) - (_log(scale) + math.log(math.pi))


def _half_cauchy(d, x):
    z = x / d.scale
    return -jnp.log1p(z * z) - (_log(d.scale) + math.log(math.pi / 2))


def _laplace(d, x):
    z, scale = _standardised(d, x)
    return -jnp.abs(z) - (_log(scale) + math.log(2))


def _exponential(d, x):
    return _log(d.rate) - d.rate * x


def _uniform(d, x):
    return -jnp.log(jnp.subtract(d.high, d.low))


def _gamma(d, x):
    shape, rate = d.concentration, d.rate
    return (shape - 1) * jnp.log(x) - rate * x + shape * jnp.log(rate) - gammaln(shape)


def _beta(d, x):
    a, b = d.concentration1, d.concentration0
    return power_log(a - 1, x) + power_log(b - 1, 1 - x, jnp.log1p, -x) - log_beta(a, b)


def _dirichlet(d, x):
    a = d.concentration
    return jnp.sum(power_log(a - 1, x), -1) + gammaln(jnp.sum(a, -1)) - jnp.sum(gammaln(a), -1)


def _bernoulli_probs(d, x):
    # an outcome of probability zero gives -inf, with a zero derivative and not a NaN
    probability = jnp.asarray(d.probs)
    if jnp.issubdtype(x.dtype, jnp.floating):  # linear between the two outcomes
        heads = jnp.log(jnp.where(probability > 0, probability, 1.0))
        tails = jnp.log1p(-jnp.where(probability < 1, probability, 0.0))
        impossible = ((x >= 1) & (probability <= 0)) | ((x <= 0) & (probability >= 1))
        return jnp.where(impossible, -jnp.inf, x * heads + (1 - x) * tails)
    possible = jnp.where(x == 1, probability > 0, probability < 1)
    probability = jnp.where(possible, probability, 0.5)
    return jnp.where(possible, jnp.where(x == 1, jnp.log(probability), jnp.log1p(-probability)), -jnp.inf)


def _bernoulli_logits(d, x):
    return log_sigmoid((2 * x - 1) * d.logits)


def _categorical(d, x):
    # a category held as a float is still an index
    return d.log_prob(x if jnp.issubdtype(x.dtype, jnp.integer) else x.astype(jnp.int32))


def _gamma_poisson(d, x):
    a, rate = d.concentration, jnp.asarray(d.rate, jnp.result_type(float))
    return -_log_choose(a, x) - a * jnp.log1p(1 / rate) - x * jnp.log1p(rate)


def _negative_binomial_logits(d, x):
    a = d.total_count
    return -_log_choose(a, x) + a * log_sigmoid(-d.logits) + x * log_sigmoid(d.logits)


def _beta_binomial(d, x):
    a, b, n = d.concentration1, d.concentration0, d.total_count
    ways = -log_beta(n - x + 1, x + 1) - jnp.log1p(n)
    return ways + log_beta(x + a, n - x + b) - log_beta(a, b)


def _beta_negative_binomial(d, x):
    a, b = d.concentration1, d.concentration0
    return -_log_choose(d.n, x) + log_beta(a + x, b + d.n) - log_beta(a, b)


def _log_choose(a, x):
    """Return the log of one over the number of ways to have `x` failures before the `a`-th success."""
    return log_beta(a, x + 1) + jnp.log(a + x)


def log_beta(a, b):
    """Return the log of the beta function, exact in double precision too.

    `jax.scipy.special.betaln` expands for large arguments, to some 1e-6: right for float32, where a
    difference of log gammas would cancel, and wrong for float64, where it does not.
    """
    a, b = jnp.asarray(a), jnp.asarray(b)
    if jnp.result_type(a, b, float) == jnp.float64:
        return gammaln(a) + gammaln(b) - gammaln(a + b)
    return betaln(a, b)


def power_log(exponent, base, log=jnp.log, argument=None):
    """Return `exponent * log(base)` with its limits, and zero derivatives, at `base == 0`.

    Args:
        exponent: array.
        base: nonnegative array.
        log: computes the logarithm of the base from `argument`, for example `log1p`.
        argument: what `log` takes, for example `-x` for a base of `1 - x`; None for the base.
    """
    zero = base == 0
    argument = base if argument is None else argument
    safe = jnp.where(zero, 0.5 if log is jnp.log else -0.5, argument)
    limit = jnp.where(exponent == 0, 0.0, jnp.where(exponent > 0, -jnp.inf, jnp.inf))
    return jnp.where(zero, limit, exponent * log(safe))


# Keyed by the method: Chi2 inherits Gamma's density and so its formula; a subclass with its own does not.
FORMULAS = {
    dist.Normal.log_prob: _normal,
    dist.HalfNormal.log_prob: _half_normal,
    dist.Cauchy.log_prob: _cauchy,
    dist.HalfCauchy.log_prob: _half_cauchy,
    dist.Laplace.log_prob: _laplace,
    dist.Exponential.log_prob: _exponential,
    dist.Uniform.log_prob: _uniform,
    dist.Gamma.log_prob: _gamma,
    dist.Beta.log_prob: _beta,
    dist.Dirichlet.log_prob: _dirichlet,
    dist.GammaPoisson.log_prob: _gamma_poisson,
    dist.NegativeBinomialLogits.log_prob: _negative_binomial_logits,
    dist.BetaBinomial.log_prob: _beta_binomial,
    dist.BetaNegativeBinomial.log_prob: _beta_negative_binomial,
    dist.BernoulliProbs.log_prob: _bernoulli_probs,
    dist.BernoulliLogits.log_prob: _bernoulli_logits,
    dist.CategoricalProbs.log_prob: _categorical,
    dist.CategoricalLogits.log_prob: _categorical,
}
