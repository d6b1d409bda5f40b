"""Log densities in nats, summed, and distribution functions, from scipy and numpy alone."""

import numpy as np
from scipy import special, stats
from scipy.stats import norm

LOG_2PI = np.log(2 * np.pi)


def normal(x, loc=0.0, scale=1.0):
    return norm.logpdf(x, loc, scale).sum()


def gamma(x, concentration, rate=1.0):
    return stats.gamma.logpdf(x, concentration, scale=1 / np.asarray(rate)).sum()


def gamma_cdf(x, concentration, rate=1.0):
    return stats.gamma.cdf(x, concentration, scale=1 / np.asarray(rate))


def exponential(x, rate=1.0):
    return (np.log(rate) - rate * np.asarray(x)).sum()


def beta(x, a, b):
    return ((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - special.betaln(a, b)).sum()


def bernoulli(x, p):
    return np.where(np.asarray(x) > 0, np.log(p), np.log1p(-np.asarray(p))).sum()


def categorical(x, p):
    return np.log(np.asarray(p)[np.asarray(x, int)]).sum()


def poisson(x, rate):
    return (x * np.log(rate) - rate - special.gammaln(np.asarray(x) + 1.0)).sum()


def dirichlet(x, concentration):
    a = np.asarray(concentration, float)
    each = ((a - 1) * np.log(x)).sum(-1) + special.gammaln(a.sum(-1)) - special.gammaln(a).sum(-1)
    return np.sum(each)


def mvn(x, loc, covariance):
    z = np.linalg.solve(np.linalg.cholesky(covariance), (x - loc)[..., None])[..., 0]
    log_det = np.log(np.linalg.eigvalsh(covariance)).sum()
    return (-0.5 * (z**2).sum(-1) - 0.5 * log_det - 0.5 * z.shape[-1] * LOG_2PI).sum()


def mvn_uniforms(x, loc, covariance):
    return norm.cdf(np.linalg.solve(np.linalg.cholesky(covariance), (x - loc)[..., None])[..., 0])


def dirichlet_uniforms(x, concentration):
    """Break the stick: x_i over what is left of it is Beta(a_i, the rest of a)."""
    a = np.asarray(concentration, float)
    left = np.flip(np.cumsum(np.flip(x, -1), -1), -1)
    rest = np.flip(np.cumsum(np.flip(a, -1), -1), -1)
    return stats.beta.cdf(x[..., :-1] / left[..., :-1], a[..., :-1], rest[..., 1:])


def discrete(law, x, rng):
    """Spread a discrete draw evenly over its step of the distribution function."""
    return law.cdf(x - 1) + rng.uniform(size=np.shape(x)) * law.pmf(x)


def coin(x, p, rng):
    return discrete(stats.bernoulli(p), x, rng)


def where_ran(ran, uniforms, rng):
    """Keep the uniforms of the branch that was taken; elsewhere put fresh ones."""
    return np.where(ran, uniforms, rng.uniform(size=np.shape(uniforms)))


def before(z, first=0.0, axis=-1):
    """Shift a chain by one step along `axis`: the values that each step started from."""
    z = np.moveaxis(z, axis, 0)
    start = np.broadcast_to(np.asarray(first, float), z[:1].shape)
    return np.moveaxis(np.concatenate([start, z[:-1]])[: len(z)], 0, axis)
