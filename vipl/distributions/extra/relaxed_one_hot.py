"""`RelaxedOneHotCategorical`: a category made continuous, so that draws have derivatives."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import gammaln
from numpyro.distributions import Distribution, constraints
from numpyro.distributions.util import validate_sample

from vipl.distributions.edges import between, open_uniform


def RelaxedOneHotCategorical(temperature, probs=None, logits=None, *, validate_args=None):  # noqa: N802 as NumPyro's
    """Return the Gumbel-softmax or Concrete distribution: softmax((logits + Gumbel noise) / temperature).

    A point of the simplex that approaches a one-hot category as the temperature goes to zero. Prefer it where a
    category enters costs that are defined for mixtures of categories too, and a relaxed model, so a biased one, is
    acceptable: draws are differentiable in all parameters, so `Reparam` serves it. `OneHotCategorical` with an
    unbiased estimator needs no relaxation.

    Args:
        temperature: positive, `(*batch,)` or a scalar; 2/3 is usual, and below 1 / (K − 1) the density has its modes
            at the corners.
        probs: probabilities of the category that is relaxed, `(*batch, K)`.
        logits: in their place, unnormalised log probabilities, `(*batch, K)`.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of event shape `(K,)` on the unit simplex; its log density is in nats, with respect to any K − 1
        of the entries. Draws are strictly inside: entries that would be smaller than 1e-29 in float32 are that, which
        happens at temperatures below about 0.2; double precision goes down to 0.02.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or it is a scalar.

    Example:
        >>> import vipl.distributions as dist
        >>> relaxed = dist.RelaxedOneHotCategorical(0.5, logits=jnp.array([0.0, 1.0, 2.0]))
        >>> draw = relaxed.sample(jax.random.key(0))
        >>> draw.shape, round(float(draw.sum()), 5)
        ((3,), 1.0)

    Source: Maddison, Mnih and Teh 2017, arXiv 1611.00712, eqs. 9 and 10; Jang, Gu and Poole 2017, arXiv 1611.01144.
    """
    if (probs is None) == (logits is None):
        raise ValueError("RelaxedOneHotCategorical takes one of probs and logits.")
    logits = jnp.log(jnp.asarray(probs)) if logits is None else logits
    return RelaxedOneHotCategoricalLogits(temperature, logits, validate_args=validate_args)


class RelaxedOneHotCategoricalLogits(Distribution):
    """A category made continuous, by unnormalised log probabilities: see `RelaxedOneHotCategorical`.

    Args:
        temperature: positive, `(*batch,)` or a scalar.
        logits: `(*batch, K)`.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Example:
        >>> import jax, vipl.distributions as dist
        >>> relaxed = dist.RelaxedOneHotCategoricalLogits(0.5, jnp.zeros(3))
        >>> round(float(relaxed.sample(jax.random.key(0)).sum()), 4)
        1.0
    """

    arg_constraints = {"temperature": constraints.positive, "logits": constraints.real_vector}
    reparametrized_params = ["temperature", "logits"]
    support: Any = constraints.simplex
    temperature: Any
    logits: Any

    def __init__(self, temperature, logits, *, validate_args=None):
        if jnp.ndim(logits) < 1:
            raise ValueError("the parameter of RelaxedOneHotCategorical has the categories on its last axis.")
        self.temperature, self.logits = temperature, logits
        *batch_shape, size = jnp.shape(logits)
        batch_shape = lax.broadcast_shapes(jnp.shape(temperature), tuple(batch_shape))
        super().__init__(batch_shape, (size,), validate_args=validate_args)

    @property
    def probs(self):
        """The probabilities of the category that is relaxed, `(*batch, K)`."""
        return jax.nn.softmax(jnp.asarray(self.logits), axis=-1)

    def sample(self, key: Any, sample_shape=()):
        """Draw points of the simplex, `(*sample_shape, *batch, K)`."""
        shape = (*sample_shape, *self.batch_shape, *self.event_shape)
        return self.from_uniform(jax.random.uniform(key, shape, jnp.result_type(float)))

    def from_uniform(self, uniform):
        """Return the draw that uniforms on [0, 1) are made into, one for each entry."""
        gumbel = -jnp.log(-jnp.log(open_uniform(uniform)))
        scores = (self.logits + gumbel) / jnp.expand_dims(self.temperature, -1)
        return _exp_inside(jax.nn.log_softmax(scores, axis=-1))

    @validate_sample
    def log_prob(self, value):
        """Return the log density at points of the simplex; entries of zero count as the smallest float."""
        value = jnp.asarray(value)
        log_value = jnp.log(jnp.maximum(value, jnp.finfo(value.dtype).tiny))
        temperature, size = jnp.asarray(self.temperature), self.event_shape[0]
        terms = jax.nn.log_softmax(self.logits - jnp.expand_dims(temperature, -1) * log_value, axis=-1) - log_value
        return jnp.sum(terms, axis=-1) + (size - 1) * jnp.log(temperature) + gammaln(size)


def _exp_inside(log_value):
    """Return the exponential of log probabilities, moved strictly inside of (0, 1).

    The floor is far above the smallest float, so that the derivative of an entry, a product with the entry, is not
    flushed to zero: that of its logarithm, which the density has, would be lost.
    """
    limits = jnp.finfo(log_value.dtype)
    floor = np.log(float(limits.tiny)) + 30 * np.log(2)
    ceiling = -float(limits.eps)
    return jnp.exp(between(log_value, np.asarray(floor, log_value.dtype), np.asarray(ceiling, log_value.dtype)))
