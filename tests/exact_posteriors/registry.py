"""The cases by name; to add one, write a function under `@case` in a file here, and import the file in the test."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import vipl
from vipl.lang.program import Program
from vipl.tracing.survey import survey

CASES = {}


@dataclasses.dataclass(frozen=True)
class Known:
    """A model, its posterior, and its log evidence."""

    model: Program
    posterior: Program
    log_evidence: float


def case(function):
    """Enter a function of a small number, which the posterior is wrong by, that returns a `Known`."""
    CASES[function.__name__] = function
    return function


def with_values(family, model, **values):
    """Return the guide of a family with these params, by what comes after the prefix; `_` for the dots and blanks.

    The values are unconstrained.
    """
    guide, params = family.build(survey(model))
    named = {}
    for name, value in values.items():
        (address,) = [address for address in params if _plain(address).endswith(name)]
        assert np.shape(value) == np.shape(params[address]), (address, np.shape(value), np.shape(params[address]))
        named[address] = jnp.asarray(value)
    return vipl.with_params(guide, params | named)


def _plain(address):
    return address.replace(".", "_").replace(" ", "_").replace("/", "_")


def raw(positive):
    """Return the number whose softplus is this."""
    return np.log(np.expm1(positive))


def raw_triangle(covariance):
    """Return what a family makes the Cholesky factor of a covariance of."""
    triangle = np.linalg.cholesky(covariance)
    return np.tril(triangle, -1) + np.diag(raw(np.diag(triangle)))


def condition_normal(mean, covariance, matrix, noise, y):
    """Return mean and covariance of x given y = matrix x + noise, and the log density of y.

    Args:
        mean, covariance: of x.
        matrix: `(m, d)`.
        noise: variances, `(m,)`.
        y: `(m,)`.
    """
    whole = matrix @ covariance @ matrix.T + np.diag(noise)
    gain = np.linalg.solve(whole, matrix @ covariance).T
    away = y - matrix @ mean
    _, log_det = np.linalg.slogdet(2 * np.pi * whole)
    log_evidence = -0.5 * (log_det + away @ np.linalg.solve(whole, away))
    return mean + gain @ away, covariance - gain @ matrix @ covariance, log_evidence


def log_normal(x, mean, variance):
    """Return the log density of a normal distribution."""
    return -0.5 * (np.log(2 * np.pi * variance) + (x - mean) ** 2 / variance)


def logsumexp(values):
    """Return the log of the sum of exponentials of all values."""
    return float(jax.nn.logsumexp(jnp.asarray(values)))
