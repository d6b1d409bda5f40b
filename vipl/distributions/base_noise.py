"""Drawing split in two: noise without parameters, and a deterministic transport of it.

    noise = noise_of(dist.LogNormal(loc, scale))      # Noise("normal", shape=(3,), dtype=float32)
    value, log_density = transport(dist.LogNormal(loc, scale), jax.random.normal(key, noise.shape))

So the noise of many sites can come from one random call: random bits are the dearest thing to compile.
Wrappers are taken apart: a transformed distribution transports its base and pushes it forward, and its
density follows from the base's without any inverse. A distribution with no rule takes a key for noise
and samples as NumPyro does. Derivatives flow through the value exactly where the distribution has a
reparameterised sampler; elsewhere the value is constant. The rules are in `transports`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax
from numpyro.distributions.distribution import Distribution

from vipl.distributions.edges import exponent_inside, nudge_inside
from vipl.distributions.log_prob import log_abs_det, log_prob, sum_last
from vipl.distributions.reparameterised import is_reparameterised
from vipl.distributions.transports import TRANSPORTS
from vipl.distributions.validation import unvalidated, validation_off


@dataclasses.dataclass(frozen=True)
class Noise:
    """What a distribution needs to be drawn from.

    Attributes:
        kind: "normal" (standard normal), "uniform" (on [0, 1)), "key" (one typed PRNG key) or "none".
        shape: shape of the noise array; `()` for a key.
        dtype: float type of the noise array.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: np.dtype


def noise_of(distribution: Distribution) -> Noise:
    """Return which noise `transport` wants for this distribution; it depends on shapes alone.

    Example:
        >>> import vipl.distributions as dist
        >>> noise_of(dist.Normal(0.0, 1.0).expand([3]))
        Noise(kind='normal', shape=(3,), dtype=dtype('float32'))
    """
    kind, shape = _noise(distribution, distribution.batch_shape)
    return Noise(kind, tuple(shape), np.dtype(jnp.result_type(float)))


def transport(distribution: Distribution, noise_value) -> tuple[jax.Array, jax.Array]:
    """Turn noise into a draw and its log density.

    Args:
        distribution: any NumPyro distribution with a sampler.
        noise_value: array or key as `noise_of(distribution)` describes; None for the kind "none".

    Returns:
        `value`, of shape `(*batch, *event)` and the type `distribution.sample` gives, inside the support, and
        `log_prob`, of shape `(*batch,)`. Both are differentiable in the distribution's arrays; the
        derivative goes through the value where the distribution has a reparameterised sampler.

    Example:
        >>> import vipl.distributions as dist
        >>> value, density = transport(dist.Normal(1.0, 2.0), jnp.array(0.5))
        >>> value.item()
        2.0
    """
    shape = distribution.batch_shape
    value, density = push_forward(distribution, lambda d, batch_shape: _draw_leaf(d, noise_value, batch_shape))
    if not is_reparameterised(distribution):
        value, density = lax.stop_gradient(value), None
    if density is None:
        density = log_prob(distribution, value, guard=False)
    return value, density if jnp.shape(density) == shape else jnp.broadcast_to(density, shape)


def transport_value(distribution: Distribution, noise_value) -> jax.Array:
    """Turn noise into a draw alone: the value that `transport` returns, with no equation spent on its density.

    Example:
        >>> import vipl.distributions as dist
        >>> transport_value(dist.Normal(1.0, 2.0), jnp.array(0.5)).item()
        2.0
    """
    draw_leaf = lambda d, batch_shape: _draw_leaf(d, noise_value, batch_shape)  # noqa: E731
    value, _ = push_forward(distribution, draw_leaf, scored=False)
    return value if is_reparameterised(distribution) else lax.stop_gradient(value)


def push_forward(distribution: Distribution, draw_leaf, *, scored: bool = True) -> tuple[Any, Any]:
    """Draw from what a distribution is made of, and push the draw through its wrappers and transforms.

    Args:
        distribution: any NumPyro distribution.
        draw_leaf: called as `draw_leaf(leaf, batch_shape)`; draws from the innermost distribution.
        scored: whether the density is wanted.

    Returns:
        The value, and its log density if a transform made it cheaper to know than to recompute, else None.

    Example:
        >>> import vipl.distributions as dist
        >>> value, _ = push_forward(dist.LogNormal(0.0, 1.0), lambda leaf, batch_shape: jnp.zeros(batch_shape))
        >>> value.item()
        1.0
    """
    with validation_off():
        return _transport(unvalidated(distribution), draw_leaf, distribution.batch_shape, scored)


def is_pushed_forward(distribution) -> bool:
    """Return whether a distribution is a simpler one, seen through transforms."""
    while _is_wrapper(distribution):
        if _is_transformed(distribution):
            return True
        distribution = distribution.base_dist
    return False


def draw(distribution: Distribution, key) -> tuple[jax.Array, jax.Array]:
    """Draw once from one distribution; returns the value and its log density, as `transport` does.

    Example:
        >>> import vipl.distributions as dist
        >>> value, density = draw(dist.Gamma(0.01, 1.0), jax.random.key(0))
        >>> bool(value > 0)
        True
    """
    return transport(distribution, draw_noise(noise_of(distribution), key))


def draw_noise(noise: Noise, key):
    """Return the noise that `noise` describes, drawn with `key`."""
    return DRAWS[noise.kind](noise, key)


DRAWS = {
    "normal": lambda noise, key: jax.random.normal(key, noise.shape, noise.dtype),
    "uniform": lambda noise, key: jax.random.uniform(key, noise.shape, noise.dtype),
    "key": lambda noise, key: key,
    "none": lambda noise, key: None,
}


def _is_transformed(d) -> bool:
    # a subclass with its own sampler or density is not what its transforms say
    return (
        type(d).sample is dist.TransformedDistribution.sample
        and type(d).log_prob is dist.TransformedDistribution.log_prob
    )


def _base_batch(d, batch_shape):
    """Return the batch shape of the base of a wrapper that is drawn with `batch_shape`."""
    if type(d) is dist.Independent:
        return batch_shape + d.event_shape[: d.reinterpreted_batch_ndims]
    return batch_shape


def _is_wrapper(d) -> bool:
    plain = (dist.Independent, dist.ExpandedDistribution, dist.MaskedDistribution)
    return type(d) in plain or _is_transformed(d)


def _noise(d, batch_shape):
    if _is_wrapper(d):
        return _noise(d.base_dist, _base_batch(d, batch_shape))
    rule = TRANSPORTS.get(type(d).sample)
    return ("key", ()) if rule is None else (rule.kind, rule.shape(d, batch_shape))


def _transport(d, draw_leaf, batch_shape, scored):
    """Return a draw of shape `(*batch_shape, *event)` and its log density, or None for the density.

    None says that the density is that of the finished value, to be computed once at the end: only a
    distribution that pushes its base forward knows a better way.
    """
    if not _is_wrapper(d):
        return draw_leaf(d, batch_shape), None
    base_shape = _base_batch(d, batch_shape)
    value, density = _transport(d.base_dist, draw_leaf, base_shape, scored)
    if _is_transformed(d):
        if scored and density is None:
            density = log_prob(d.base_dist, value, guard=False)
        return _push_forward(d, value, density)
    if density is None or type(d) is dist.ExpandedDistribution:
        return value, density
    if type(d) is dist.Independent:
        density = jnp.broadcast_to(density, base_shape)
        return value, sum_last(density, d.reinterpreted_batch_ndims)
    return value, jnp.where(d._mask, density, 0.0)


def _draw_leaf(d, noise, batch_shape):
    rule = TRANSPORTS.get(type(d).sample)
    if rule is not None:
        value = rule.push(d, noise, batch_shape)
        return nudge_inside(d.support, value) if rule.reaches_edges else value
    if isinstance(d, dist.HurdleProbs) and not d.is_discrete:
        return _draw_hurdle(d, noise, batch_shape)
    return nudge_inside(d.support, jnp.asarray(d.expand(batch_shape).sample(noise)))


def _draw_hurdle(d, key, batch_shape):
    """Draw zeros with the probability of the gate, and what never is zero elsewhere."""
    at_zero, above = jax.random.split(key)
    base = d.base_dist.expand(batch_shape)
    value = transport_value(base, draw_noise(noise_of(base), above))
    return jnp.where(jax.random.bernoulli(at_zero, d.gate, batch_shape), 0.0, value)


def _push_forward(d, value, density):
    event_dim = d.base_dist.event_dim
    for transform in d.transforms:
        if type(transform) is dist.transforms.ExpTransform:
            value = exponent_inside(value)
        after, intermediates = transform.call_with_intermediates(value)
        extra = event_dim - transform.domain.event_dim
        if density is not None:
            density = density - sum_last(log_abs_det(transform, value, after, intermediates), extra)
        event_dim, value = transform.codomain.event_dim + extra, after
    last = d.transforms[-1]
    if isinstance(last, dist.transforms.AffineTransform) and type(d).support is dist.TransformedDistribution.support:
        return value, density  # its codomain guesses the sign of a traced scale
    if type(last) is dist.transforms.ExpTransform:
        return value, density
    return nudge_inside(d.support, value), density
