"""How standard noise becomes a draw: one line for each distribution.

    TRANSPORTS[dist.Normal.sample].push(dist.Normal(1.0, 2.0), noise, ())    # 1 + 2 noise

A rule names the kind of noise, its shape, and the push. Distributions without a rule take a key. The
table is keyed by the `sample` method, so a subclass that inherits its sampler inherits the rule, and one
that overrides it does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
import numpyro.distributions as dist

from vipl.distributions import truncated
from vipl.distributions.edges import open_uniform
from vipl.distributions.extra import OneHotCategoricalProbs, RelaxedOneHotCategoricalLogits

__all__ = ["TRANSPORTS", "Transport", "open_uniform"]


def _batch(d, batch_shape):
    return batch_shape


def _batch_event(d, batch_shape):
    return batch_shape + d.event_shape


@dataclasses.dataclass(frozen=True)
class Transport:
    """A rule: `push(distribution, noise, batch_shape)` gives a draw from noise of `kind` and `shape`.

    Attributes:
        kind: "normal", "uniform" or "none".
        push: the draw, of shape `(*batch_shape, *event)`.
        shape: `shape(distribution, batch_shape)` of the noise.
        reaches_edges: whether rounding can put the draw on the edge of an open support.
    """

    kind: str
    push: Callable
    shape: Callable = _batch
    reaches_edges: bool = False


def _matrix_vector(matrix, vector):
    return jnp.matmul(matrix, vector[..., None])[..., 0]


def _normal(d, noise, batch_shape):
    is_unit = isinstance(d.scale, float) and d.scale == 1
    return d.loc + (noise if is_unit else d.scale * noise)


def _low_rank_normal(d, noise, batch_shape):
    rank = d.cov_factor.shape[-1]
    diagonal = jnp.sqrt(d.cov_diag) * noise[..., rank:]
    return d.loc + _matrix_vector(d.cov_factor, noise[..., :rank]) + diagonal


def _laplace(d, noise, batch_shape):
    centred = 2 * open_uniform(noise) - 1
    return d.loc - d.scale * jnp.sign(centred) * jnp.log1p(-jnp.abs(centred))


def _logistic(d, noise, batch_shape):
    u = open_uniform(noise)
    return d.loc + d.scale * (jnp.log(u) - jnp.log1p(-u))


def _weibull(d, noise, batch_shape):
    return d.scale * (-jnp.log1p(-open_uniform(noise))) ** (1 / jnp.asarray(d.concentration))


def _bernoulli(d, noise, batch_shape):
    return (noise < d.probs).astype(jnp.result_type(int))


def _categorical(d, noise, batch_shape):
    # scaled by the total, so that rounding never reaches a last category of probability zero
    cumulative = jnp.cumsum(d.probs, axis=-1)
    above = noise[..., None] * cumulative[..., -1:] >= cumulative[..., :-1]
    return jnp.sum(above, axis=-1, dtype=jnp.result_type(int))


def _one_hot(d, noise, batch_shape):
    return d.one_hot(_categorical(d, noise, batch_shape))


def _delta(d, noise, batch_shape):
    return jnp.broadcast_to(d.v, batch_shape + d.event_shape)


TRANSPORTS = {
    dist.Normal.sample: Transport("normal", _normal),
    dist.HalfNormal.sample: Transport("normal", lambda d, e, _: d.scale * jnp.abs(e), reaches_edges=True),
    dist.MultivariateNormal.sample: Transport(
        "normal", lambda d, e, _: d.loc + _matrix_vector(d.scale_tril, e), _batch_event
    ),
    dist.LowRankMultivariateNormal.sample: Transport(
        "normal",
        _low_rank_normal,
        lambda d, batch: batch + (d.cov_factor.shape[-1] + d.event_shape[0],),
    ),
    dist.Uniform.sample: Transport("uniform", lambda d, u, _: d.low + u * jnp.subtract(d.high, d.low)),
    dist.Exponential.sample: Transport("uniform", lambda d, u, _: -jnp.log1p(-open_uniform(u)) / d.rate),
    dist.Laplace.sample: Transport("uniform", _laplace),
    dist.Logistic.sample: Transport("uniform", _logistic),
    dist.Gumbel.sample: Transport("uniform", lambda d, u, _: d.loc - d.scale * jnp.log(-jnp.log(open_uniform(u)))),
    dist.Cauchy.sample: Transport(
        "uniform", lambda d, u, _: d.loc + d.scale * jnp.tan(jnp.pi * (open_uniform(u) - 0.5))
    ),
    dist.HalfCauchy.sample: Transport(
        "uniform", lambda d, u, _: d.scale * jnp.abs(jnp.tan(jnp.pi / 2 * open_uniform(u)))
    ),
    dist.Weibull.sample: Transport("uniform", _weibull, reaches_edges=True),
    dist.BernoulliProbs.sample: Transport("uniform", _bernoulli),
    dist.BernoulliLogits.sample: Transport("uniform", _bernoulli),
    dist.CategoricalProbs.sample: Transport("uniform", _categorical),
    dist.CategoricalLogits.sample: Transport("uniform", _categorical),
    OneHotCategoricalProbs.sample: Transport("uniform", _one_hot),  # both inherit one sampler
    RelaxedOneHotCategoricalLogits.sample: Transport("uniform", lambda d, u, _: d.from_uniform(u), _batch_event),
    dist.LeftTruncatedDistribution.sample: Transport("uniform", truncated.push, reaches_edges=True),
    dist.RightTruncatedDistribution.sample: Transport("uniform", truncated.push, reaches_edges=True),
    dist.TwoSidedTruncatedDistribution.sample: Transport("uniform", truncated.push, reaches_edges=True),
    dist.Delta.sample: Transport("none", _delta),
}
