"""Where the draws of a distribution lie, where NumPyro says less than is known.

NumPyro's support of a transformed distribution is the image of its last transform alone: of an ordered vector whose
exponential is taken it says positive, and not that it is in order.

>>> import jax.numpy as jnp, vipl.distributions as dist
>>> normal, support = dist.Normal(jnp.zeros(2), 1.0).to_event(1), dist.constraints.positive_ordered_vector
>>> drawn_support(dist.TransformedDistribution(normal, dist.biject_to(support))) is support
True
"""

from __future__ import annotations

from numpyro.distributions import (
    Distribution,
    ExpandedDistribution,
    Independent,
    MaskedDistribution,
    TransformedDistribution,
    constraints,
)
from numpyro.distributions import transforms as tf

_INCREASING = (tf.ExpTransform, tf.SoftplusTransform)  # elementwise, and onto the positive reals


def drawn_support(distribution: Distribution):
    """Return the support of a distribution, in order where its draws are.

    Args:
        distribution: any distribution.
    """
    support = distribution.support
    while isinstance(distribution, (Independent, ExpandedDistribution, MaskedDistribution)):
        distribution = distribution.base_dist
    if not isinstance(distribution, TransformedDistribution):
        return support
    last = [part for transform in distribution.transforms for part in _parts(transform)][-2:]
    if len(last) < 2 or type(last[0]) is not tf.OrderedTransform or type(last[1]) not in _INCREASING:
        return support
    ordered, extra = constraints.positive_ordered_vector, distribution.event_dim - 1
    return constraints.independent(ordered, extra) if extra else ordered


def _parts(transform) -> list:
    if isinstance(transform, tf.IndependentTransform):
        return _parts(transform.base_transform)
    if isinstance(transform, tf.ComposeTransform):
        return [part for inner in transform.parts for part in _parts(inner)]
    return [transform]
