"""Supports that move with parameters, so that the derivative of a density misses what crosses the edge.

>>> import jax, vipl.distributions as dist
>>> jax.make_jaxpr(lambda high: print(support_moves(dist.Uniform(0.0, high))))(1.0) and None
True
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from vipl._core.compat import is_tracer
from vipl.distributions.checks import is_unrestricted


def support_moves(distribution: Distribution) -> bool:
    """Return whether the support moves with parameters that are not known statically, so that no score exists.

    The support of what a distribution is made of counts: a mixture of uniforms moves with their bounds, whatever
    support it declares.
    """
    if isinstance(distribution, dist.Delta):
        return True
    try:
        support = distribution.support
    except NotImplementedError:
        support = None
    if _any_traced(support):
        return True
    if isinstance(distribution, dist.TransformedDistribution):
        edges = distribution.base_dist.support
        if any(_moves_edges(transform, edges) for transform in distribution.transforms):
            return True
    return any(support_moves(part) for part in _parts(distribution))


def _moves_edges(transform, support) -> bool:
    if is_unrestricted(support) or not isinstance(transform, dist.transforms.AffineTransform):
        return False
    if _any_traced(transform.loc) or not _any_traced(transform.scale):
        return _any_traced(transform.loc)
    from_zero = support in (dist.constraints.positive, dist.constraints.nonnegative)
    return not (from_zero and np.all(np.asarray(transform.loc) == 0))


def _any_traced(tree) -> bool:
    return any(is_tracer(leaf) and jnp.issubdtype(leaf.dtype, np.floating) for leaf in jax.tree.leaves(tree))


def _parts(distribution):
    """Return the distributions that this one is made of."""
    held = jax.tree.leaves(vars(distribution), is_leaf=lambda x: isinstance(x, Distribution))
    return [x for x in held if isinstance(x, Distribution)]
