"""Finite supports: which distributions have one, and its points.

>>> import vipl.distributions as dist
>>> from vipl.distributions.finite import num_support_points, support_points
>>> num_support_points(dist.Bernoulli(0.3)), num_support_points(dist.Poisson(2.0))
(2, None)
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from vipl.distributions.extra import OneHotCategoricalLogits, OneHotCategoricalProbs

_WRAPPERS = (dist.ExpandedDistribution, dist.MaskedDistribution)
_TABLES = (dist.CategoricalProbs, dist.CategoricalLogits, OneHotCategoricalProbs, OneHotCategoricalLogits)


def support_points(distribution):
    """Return the support of a distribution as an array `(points, *event_shape)`.

    Raises:
        NotImplementedError: the support is not finite, or its size is not known statically.
    """
    while isinstance(distribution, _WRAPPERS):
        distribution = distribution.base_dist
    if isinstance(distribution, dist.Independent):
        raise NotImplementedError("an event of several independent elements")
    if not distribution.has_enumerate_support:
        raise NotImplementedError("the support is not finite")
    points = distribution.enumerate_support(expand=False)
    # The batch axes, of size 1, stand between the points and the event.
    return jnp.reshape(points, (points.shape[0], *distribution.event_shape))


def log_prob_table(distribution):
    """Return the log probability of every support point, `(points, *batch_shape)`, where it need not be looked up.

    To look it up point by point takes K² elements for K categories.

    Returns:
        The table, or None where the distribution holds none.

    Example:
        >>> import vipl.distributions as dist
        >>> log_prob_table(dist.Categorical(probs=jnp.full((3, 4), 0.25))).shape
        (4, 3)
    """
    batch_shape = distribution.batch_shape
    while isinstance(distribution, dist.ExpandedDistribution):
        distribution = distribution.base_dist
    if not isinstance(distribution, _TABLES):
        return None
    logits = jnp.asarray(distribution.logits)
    logits = jnp.broadcast_to(logits, (*batch_shape, logits.shape[-1]))
    return jnp.moveaxis(jax.nn.log_softmax(logits), -1, 0)


def num_support_points(distribution) -> int | None:
    """Return the number of points in the support, or None where it is not finite or not known statically."""
    if not distribution.is_discrete:
        return None
    try:
        return int(jax.eval_shape(lambda: support_points(distribution)).shape[0])
    except (NotImplementedError, TypeError, ValueError, jax.errors.JAXTypeError):
        return None
