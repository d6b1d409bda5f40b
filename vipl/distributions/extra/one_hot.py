"""`OneHotCategorical`: a category as a vector with a single one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from numpyro.distributions import Distribution, constraints
from numpyro.distributions.util import validate_sample


def OneHotCategorical(probs=None, logits=None, *, validate_args=None):  # noqa: N802 a constructor, as NumPyro's are
    """Return the distribution of a category in one-hot form: an integer vector of zeros and a single one.

    Prefer it to `Categorical` where the costs are linear algebra on the category, `x @ embedding`, and as the target
    that a `RelaxedOneHotCategorical` relaxes. Its support is finite, so `Auto` enumerates it: exactly, at K
    evaluations. Value, support and log probability are those of a `Multinomial` of one trial.

    Args:
        probs: probabilities of the categories, `(*batch, K)`.
        logits: in their place, unnormalised log probabilities, `(*batch, K)`.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of event shape `(K,)` and batch shape `(*batch,)`, drawn as integers; its log probability is in
        nats, and −inf where a value is not one-hot.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or it is a scalar.

    Example:
        >>> import vipl.distributions as dist
        >>> category = dist.OneHotCategorical(probs=jnp.array([0.25, 0.75]))
        >>> category.enumerate_support().tolist()
        [[1, 0], [0, 1]]
        >>> round(float(category.log_prob(jnp.array([0, 1]))), 4)
        -0.2877

    Source: the categorical distribution of Bishop 2006, Pattern Recognition and Machine Learning, eq. 2.26.
    """
    if (probs is None) == (logits is None):
        raise ValueError("OneHotCategorical takes one of probs and logits.")
    if probs is not None:
        return OneHotCategoricalProbs(probs, validate_args=validate_args)
    return OneHotCategoricalLogits(logits, validate_args=validate_args)


class _OneHot(Distribution):
    """What the two parameterisations share."""

    probs: Any
    logits: Any
    support: Any = constraints.multinomial(1)
    has_enumerate_support = True

    def _set_shape(self, parameter, validate_args):
        if jnp.ndim(parameter) < 1:
            raise ValueError("the parameter of OneHotCategorical has the categories on its last axis.")
        *batch_shape, size = jnp.shape(parameter)
        super().__init__(tuple(batch_shape), (size,), validate_args=validate_args)

    def sample(self, key: Any, sample_shape=()):
        """Draw integers, `(*sample_shape, *batch, K)`."""
        index = jax.random.categorical(key, self.logits, shape=(*sample_shape, *self.batch_shape))
        return self.one_hot(index)

    def one_hot(self, index):
        """Return category numbers as one-hot vectors."""
        return jax.nn.one_hot(index, self.event_shape[0], dtype=jnp.result_type(int))

    def enumerate_support(self, expand=True):
        """Return the K values, `(K, *batch, K)`, or with `expand=False` with ones in place of the batch."""
        size = self.event_shape[0]
        values = jnp.eye(size, dtype=jnp.result_type(int)).reshape(size, *[1] * len(self.batch_shape), size)
        return jnp.broadcast_to(values, (size, *self.batch_shape, size)) if expand else values

    @property
    def mean(self):
        """The mean, `(*batch, K)`: the probabilities."""
        return jnp.asarray(self.probs)

    @property
    def variance(self):
        """The variance of each entry, `(*batch, K)`."""
        return self.mean * (1 - self.mean)

    def entropy(self):
        """Return the entropy in nats, `(*batch,)`."""
        return jnp.sum(jax.scipy.special.entr(self.mean), axis=-1)


class OneHotCategoricalProbs(_OneHot):
    """A category in one-hot form, by its probabilities: see `OneHotCategorical`.

    Args:
        probs: `(*batch, K)`, nonnegative and of sum one.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Example:
        >>> import vipl.distributions as dist
        >>> dist.OneHotCategoricalProbs(jnp.array([0.25, 0.75])).mean.tolist()
        [0.25, 0.75]
    """

    arg_constraints = {"probs": constraints.simplex}

    def __init__(self, probs, *, validate_args=None):
        self.probs = probs
        self._set_shape(probs, validate_args)

    @property
    def logits(self):
        """The log probabilities, `(*batch, K)`."""
        return jnp.log(self.probs)

    @validate_sample
    def log_prob(self, value):
        """Return the log probability of one-hot vectors; that of an impossible category is −inf."""
        if jnp.issubdtype(jnp.result_type(value), jnp.floating):  # linear between the corners of the simplex
            possible = self.probs > 0
            inside = jnp.sum(value * jnp.log(jnp.where(possible, self.probs, 1.0)), axis=-1)
            return jnp.where(jnp.any(~possible & (value >= 1), axis=-1), -jnp.inf, inside)
        probability = jnp.sum(jnp.where(value == 1, self.probs, 0.0), axis=-1)
        possible = probability > 0
        return jnp.where(possible, jnp.log(jnp.where(possible, probability, 1.0)), -jnp.inf)


class OneHotCategoricalLogits(_OneHot):
    """A category in one-hot form, by unnormalised log probabilities: see `OneHotCategorical`.

    Args:
        logits: `(*batch, K)`, real.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Example:
        >>> import vipl.distributions as dist
        >>> dist.OneHotCategoricalLogits(jnp.zeros(2)).mean.tolist()
        [0.5, 0.5]
    """

    arg_constraints = {"logits": constraints.real_vector}

    def __init__(self, logits, *, validate_args=None):
        self.logits = logits
        self._set_shape(logits, validate_args)

    @property
    def probs(self):
        """The probabilities, `(*batch, K)`."""
        return jax.nn.softmax(jnp.asarray(self.logits), axis=-1)

    @validate_sample
    def log_prob(self, value):
        """Return the log probability of one-hot vectors."""
        log_probs = jax.nn.log_softmax(jnp.asarray(self.logits), axis=-1)
        return jnp.sum(jnp.where(value == 0, 0.0, value * log_probs), axis=-1)  # also between the corners
