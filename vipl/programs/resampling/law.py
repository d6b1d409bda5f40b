"""What the laws of ancestors share: weights, the decision to resample, the support, and what is certain without it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax
from numpyro.distributions import Distribution, constraints
from numpyro.distributions.util import validate_sample

from vipl.programs.resampling.cells import pick


class _LogWeights(constraints.Constraint):
    """Logs of weights, not all of them zero and none infinite."""

    event_dim = 1

    def __call__(self, x):
        return (x < jnp.inf).all(-1) & (x > -jnp.inf).any(-1)

    def feasible_like(self, prototype):
        return jnp.zeros_like(prototype)

    def tree_flatten(self):
        return (), ((), {})

    def eq(self, other, static=False):
        del static
        return isinstance(other, _LogWeights)


class AncestorLaw(Distribution):
    """Base of the laws of ancestors, `(*batch, N)`: integers, particle n's parent at n.

    A law says how it draws, `_draw(key, shape)`, and scores, `_log_pmf(value)`, where it resamples. It is not
    enumerated: its support has N^N points.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        resample: booleans that broadcast to `(*batch,)`: where False, particle n's parent is n, for certain.
        validate_args: whether NumPyro checks the arguments; None for its default.
    """

    arg_constraints: Any = {"log_weights": _LogWeights(), "resample": constraints.boolean}
    log_weights: Any
    resample: Any

    def __init__(self, log_weights, resample=True, *, validate_args=None):
        self.log_weights, self.resample = log_weights, resample
        batch_shape = lax.broadcast_shapes(jnp.shape(log_weights)[:-1], jnp.shape(resample))
        super().__init__(batch_shape, jnp.shape(log_weights)[-1:], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)  # pyright: ignore[reportArgumentType]
    def support(self):
        """Particles' numbers."""
        return constraints.independent(constraints.integer_interval(0, self.log_weights.shape[-1] - 1), 1)

    def sample(self, key: Any, sample_shape=()):
        """Draw integers, `(*sample_shape, *batch, *event)`."""
        shape = (*sample_shape, *self.batch_shape)
        return jnp.where(jnp.asarray(self.resample)[..., None], self._draw(key, shape), self._unchanged())

    @validate_sample
    def log_prob(self, value):
        """Return the log probability of whole vectors in nats, `(*sample, *batch)`, differentiable in the log weights.

        It is −inf, with derivatives of zero, for a vector that is never drawn.
        """
        value = jnp.asarray(value, jnp.result_type(int))
        value = jnp.broadcast_to(value, (*lax.broadcast_shapes(value.shape[:-1], self.batch_shape), *self.event_shape))
        unchanged = jnp.where(jnp.all(value == self._unchanged(), axis=-1), 0.0, -jnp.inf)
        scored = self._log_pmf(value)
        scored = jnp.where(scored > -jnp.inf, scored, -jnp.inf)  # no derivative where one factor is zero
        return jnp.where(self.resample, scored, unchanged)

    def _unchanged(self):
        return jnp.arange(self.log_weights.shape[-1])

    def _draw(self, key, shape):
        raise NotImplementedError

    def _log_pmf(self, value):
        raise NotImplementedError


class ConditionalAncestorLaw(AncestorLaw):
    """Base of the laws of ancestors given that one particle is retained, and of the slot that it is retained in.

    A value is one vector of N + 1 integers: the ancestors `value[..., :-1]`, `(*batch, N)`, then the slot
    `value[..., -1]`, `(*batch,)`, of which the ancestor is the retained particle. Where `resample` is False the
    ancestors are 0..N−1 and the slot is the retained particle's own. A law says how it draws and scores, as
    `AncestorLaw`.

    Args:
        log_weights: `(*batch, N)`, up to a constant for each batch; −inf for some is a weight of zero.
        retained: integers that broadcast to `(*batch,)`: the retained particles, of nonzero weight.
        resample: booleans that broadcast to `(*batch,)`.
        validate_args: whether NumPyro checks the arguments; None for its default.
    """

    arg_constraints: Any = {**AncestorLaw.arg_constraints, "retained": constraints.nonnegative_integer}
    retained: Any

    def __init__(self, log_weights, retained, resample=True, *, validate_args=None):
        self.log_weights, self.retained, self.resample = log_weights, retained, resample
        size = jnp.shape(log_weights)[-1]
        batch_shape = lax.broadcast_shapes(*map(jnp.shape, (retained, resample)), jnp.shape(log_weights)[:-1])
        Distribution.__init__(self, batch_shape, (size + 1,), validate_args=validate_args)

    def _unchanged(self):
        retained = jnp.asarray(self.retained, jnp.result_type(int))[..., None]
        size = self.log_weights.shape[-1]
        return jnp.concatenate([jnp.broadcast_to(jnp.arange(size), (*retained.shape[:-1], size)), retained], -1)

    def _consistent(self, value):
        """Return whether the slot's ancestor is the retained particle, which has a weight."""
        retained = jnp.broadcast_to(self.retained, value.shape[:-1])[..., None]
        weighted = pick(self.log_weights, retained) > -jnp.inf
        return (weighted & (pick(value[..., :-1], value[..., -1:]) == retained))[..., 0]
