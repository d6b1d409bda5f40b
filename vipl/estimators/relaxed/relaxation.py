"""A discrete draw as the hard limit of a soft one, for the estimators that use both.

With z a logistic or Gumbel variable moved by the parameters, the draw is b = H(z), a step or an argmax, and its
relaxation is S(z / τ), a sigmoid or a softmax. Given b, z can be drawn again, with fresh noise and differentiably.

Source: Maddison, Mnih and Teh 2017, arXiv 1611.00712; Tucker et al. 2017 (REBAR), arXiv 1703.07370, appendix C.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from vipl.distributions.relaxable import ONE_HOT, RELAXABLE
from vipl.estimators.elements import elements_of


@dataclasses.dataclass(frozen=True)
class Relaxation:
    """A draw with its relaxations, each `(*batch_shape, *event_shape)`.

    Attributes:
        hard: the draw, of floating-point type, without derivative.
        soft: the relaxation of the same noise.
        again: the relaxation of fresh noise, given the draw.
    """

    hard: jax.Array
    soft: jax.Array
    again: jax.Array


def relaxation_of(distribution, key, temperature) -> Relaxation:
    """Draw from a distribution that `unserved` lets pass.

    Args:
        distribution: of Bernoulli or one-hot draws, perhaps in an event of several.
        key: a typed key.
        temperature: τ, positive.
    """
    elements = elements_of(distribution)
    draw = _one_hot if isinstance(elements.base, ONE_HOT) else _bernoulli
    key, key_again = jax.random.split(key)
    return draw(elements.base, elements.shape, key, key_again, temperature)


_NAMES = {cls.__name__ for cls in RELAXABLE}


def unserved(statement) -> str | None:
    """Return why a site has no relaxation, or None."""
    served = "it relaxes Bernoulli and OneHotCategorical choices only"
    return None if statement.distribution_name in _NAMES else served


def _uniform(key, shape, dtype):
    """Draw inside of (0, 1)."""
    info = jnp.finfo(dtype)
    return jax.random.uniform(key, shape, dtype, minval=info.tiny, maxval=1 - info.epsneg)


def _bernoulli(d, shape, key, key_again, temperature):
    logits = jnp.broadcast_to(d.logits, shape)
    u, v = (_uniform(k, shape, logits.dtype) for k in (key, key_again))
    z = logits + jnp.log(u) - jnp.log1p(-u)
    hard = lax.stop_gradient(z > 0).astype(logits.dtype)
    sign = 2 * hard - 1
    # Where b = 1: log(1 + v e^φ) − log(1 − v) > 0; where b = 0 its mirror image.
    again = sign * (jax.nn.softplus(jnp.log(v) + sign * logits) - jnp.log1p(-v))
    return Relaxation(hard, jax.nn.sigmoid(z / temperature), jax.nn.sigmoid(again / temperature))


def _one_hot(d, shape, key, key_again, temperature):
    log_probs = jnp.broadcast_to(jax.nn.log_softmax(d.logits), shape)
    first, second = (-jnp.log(_uniform(k, shape, log_probs.dtype)) for k in (key, key_again))
    z = log_probs - jnp.log(first)
    hard = lax.stop_gradient(jax.nn.one_hot(jnp.argmax(z, axis=-1), shape[-1], dtype=log_probs.dtype))
    smallest = jnp.sum(hard * second, axis=-1, keepdims=True)
    # The winner's is the smallest of exponentials with rates p; the others lie behind it.
    later = jnp.logaddexp(jnp.log(second) - log_probs, jnp.log(smallest))
    again = -jnp.where(hard == 1, jnp.log(smallest), later)
    return Relaxation(hard, jax.nn.softmax(z / temperature), jax.nn.softmax(again / temperature))
