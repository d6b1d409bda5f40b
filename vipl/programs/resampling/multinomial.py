"""Multinomial resampling: every particle draws its parent for itself."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl.programs.resampling.cells import cells_of, pick, precise
from vipl.programs.resampling.law import AncestorLaw, ConditionalAncestorLaw


class MultinomialAncestors(AncestorLaw):
    """Ancestors that are independent draws from the weights: N Categorical(W).

    Of the three schemes the offspring vary most and the score least: prefer it where a score-function estimator needs
    the log probability. It is smooth in the weights; those of the others have kinks.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        resample: booleans that broadcast to `(*batch,)`: where False, particle n's parent is n, for certain.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of batch shape `(*batch,)` and event shape `(N,)`, drawn as integers; log probability in nats.
        Cost: O(N log N).

    Example:
        >>> law = MultinomialAncestors(jnp.log(jnp.array([0.5, 0.25, 0.25])))
        >>> jnp.exp(law.log_prob(jnp.array([2, 0, 0]))).item()
        0.0625

    Source: Gordon, Salmond and Smith 1993; Douc and Cappé 2005, arXiv cs/0507025.
    """

    def _draw(self, key, shape):
        return _independent(self.log_weights, key, shape)

    def _log_pmf(self, value):
        return _log_weight(self.log_weights, value)


class ConditionalMultinomialAncestors(ConditionalAncestorLaw):
    """The ancestors given a retained particle, which is the parent of particle 0; the others are independent draws.

    The slot is always 0: which one it is makes no difference where all are alike.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        retained: integers that broadcast to `(*batch,)`: the retained particles, of nonzero weight.
        resample: booleans that broadcast to `(*batch,)`.
        validate_args: whether NumPyro checks the arguments; None for its default.

    Returns:
        A distribution of batch shape `(*batch,)` and event shape `(N + 1,)`, ancestors and slot, drawn as integers.

    Example:
        >>> law = ConditionalMultinomialAncestors(jnp.log(jnp.array([0.5, 0.25, 0.25])), 2)
        >>> jnp.exp(law.log_prob(jnp.array([2, 0, 0, 0]))).item()
        0.25

    Source: Andrieu, Doucet and Holenstein 2010, Particle Markov chain Monte Carlo methods (conditional SMC).
    """

    def _draw(self, key, shape):
        others = _independent(self.log_weights, key, shape)
        slot = jnp.zeros((*shape, 1), others.dtype)
        retained = jnp.broadcast_to(self.retained, shape)[..., None].astype(others.dtype)
        return jnp.concatenate([retained, others[..., 1:], slot], -1)

    def _log_pmf(self, value):
        scored = _log_weight(self.log_weights, value[..., 1:-1])
        return jnp.where(self._consistent(value) & (value[..., -1] == 0), scored, -jnp.inf)


def _independent(log_weights, key, shape):
    cells = cells_of(log_weights)
    key_slot, key_part = jax.random.split(key)
    shape = (*shape, cells.size)
    slot = jax.random.randint(key_slot, shape, 0, cells.size, cells.whole.dtype)
    return cells.holding(slot, cells.parts(key_part, shape))


def _log_weight(log_weights, ancestors):
    """Return the sum of the ancestors' log weights, with no derivative from an impossible one."""
    picked = pick(jax.nn.log_softmax(precise(log_weights)), ancestors)
    return jnp.sum(jnp.where(picked > -jnp.inf, picked, -jnp.inf), -1)
