"""Distributions that are one of several others, by chance: mixtures, and hurdles before continuous distributions.

>>> import vipl.distributions as dist
>>> mixture = dist.MixtureSameFamily(dist.Categorical(logits=jnp.zeros(3)), dist.Normal(jnp.arange(3.0), 1.0))
>>> num_components(mixture), draw_components(mixture, jax.random.key(0), ()).shape
(3, (3,))
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import Distribution

from vipl.distributions.base_noise import draw_noise, noise_of, transport_value
from vipl.distributions.reparameterised import is_reparameterised

_MIXTURES = (dist.MixtureSameFamily, dist.MixtureGeneral)


def without_plates(distribution: Distribution) -> Distribution:
    """Return the distribution that `expand` and `to_event` wrap."""
    while isinstance(distribution, (dist.ExpandedDistribution, dist.Independent)):
        distribution = distribution.base_dist
    return distribution


def num_components(distribution: Distribution) -> int | None:
    """Return of how many reparameterised components it is one, or None if it is not of that kind."""
    d = without_plates(distribution)
    if isinstance(d, dist.HurdleProbs):
        return 2 if not d.is_discrete and is_reparameterised(d.base_dist) else None
    if not isinstance(d, _MIXTURES):
        return None
    parts = [d.component_distribution] if isinstance(d, dist.MixtureSameFamily) else d.component_distributions
    return d.mixture_size if all(map(is_reparameterised, parts)) else None


def log_weights(d: Any):
    """Return the log probabilities of the components, `(*batch, components)`."""
    if isinstance(d, dist.HurdleLogits):
        logits = jnp.asarray(d.gate_logits)
        return jax.nn.log_sigmoid(jnp.stack([logits, -logits], axis=-1))
    if isinstance(d, dist.HurdleProbs):
        gate = jnp.asarray(d.gate)
        return jnp.stack([jnp.log(gate), jnp.log1p(-gate)], axis=-1)
    return jax.nn.log_softmax(d.mixing_distribution.logits)


def draw_components(d: Any, key, shape):
    """Return a draw of every component, `(components, *shape, *event)`, differentiable in their parameters."""
    if isinstance(d, dist.MixtureSameFamily):
        every = d.component_distribution.expand((*shape, d.mixture_size))
        return jnp.moveaxis(_draw(every, key), len(shape), 0)
    if isinstance(d, dist.HurdleProbs):
        value = _draw(d.base_dist.expand(shape), key)
        return jnp.stack([jnp.zeros_like(value), value])
    keys = jax.random.split(key, d.mixture_size)
    parts = zip(d.component_distributions, keys, strict=True)
    return jnp.stack([_draw(part.expand(shape), key) for part, key in parts])


def _draw(distribution, key):
    return transport_value(distribution, draw_noise(noise_of(distribution), key))
