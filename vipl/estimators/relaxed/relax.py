"""`RELAX`: REBAR, with a function of the user's beside the relaxed costs."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax.typing import ArrayLike

from vipl._core.errors import ShapeError
from vipl._core.source import user_source
from vipl.estimators.relaxed.rebar import REBAR


class RELAX(REBAR):
    """Add r(s) − M r(s̃) to `REBAR`, with a function r that is learned; M, s and s̃ as there.

    Its mean is zero whatever r is. Prefer it where the costs are no good between the points of the support: with
    `scale=0.0` they count at the draw alone. r is trained to lower the squared gradient: the derivative of
    `jnp.sum(jax.grad(objective, …)(key, θ, params) ** 2)` in `params` is what an optimiser needs.

    Args:
        function: r, called as `function(params, s)` with s of shape `(*batch_shape, *event_shape)`; returns
            `(*batch_shape,)` or a scalar.
        params: a pytree; what r learns.
        temperature: τ of the relaxation, positive.
        scale: η, as in `REBAR`.

    Requirements: those of `REBAR`.

    Raises:
        EstimatorError: another distribution.
        ShapeError: r returns another shape.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> def line(params, s):
        ...     return jnp.sum(params * s)
        >>> @vipl.expectation
        ... def cost(logits, params):
        ...     relax = estimators.RELAX(line, params, scale=0.0)
        ...     z = vipl.sample("z", dist.Bernoulli(logits=logits).to_event(1), estimator=relax)
        ...     return jnp.sum(z - 0.4) ** 2
        >>> jax.grad(cost, argnums=1)(jax.random.key(0), jnp.zeros(5), jnp.ones(5)).shape
        (5,)

    Source: Grathwohl et al. 2018, arXiv 1711.00123, eq. 8.
    """

    def __init__(self, function: Callable, params=(), temperature: ArrayLike = 0.5, scale: ArrayLike = 1.0):
        super().__init__(temperature, scale)
        self.function, self.params = function, params

    def _control(self, drawn, score):
        first, again = (jnp.asarray(self.function(self.params, s)) for s in (drawn.soft, drawn.again))
        if first.ndim == 0:  # one number for all elements: each has its part of it, and the score of all
            return jnp.broadcast_to((first - jnp.prod(score) * again) / max(score.size, 1), score.shape)
        if first.ndim != score.ndim:
            batch = drawn.hard.shape[: score.ndim]
            raise ShapeError(
                f"the function of RELAX returns shape {first.shape}, and the site has batch shape {batch}.",
                where=user_source(),
                fix=f"a scalar or shape {batch}: jnp.sum(…, axis=-1) over the axes of an event",
            )
        mixed = tuple(axis for axis, size in enumerate(score.shape) if first.shape[axis] != size)
        first, again = (jnp.sum(r, axis=mixed, keepdims=True) for r in (first, again))
        return first - score * again
