"""`DisARM`: for a Bernoulli choice, the costs at an antithetic pair, with the uniform averaged out."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.estimators.coupled.arm import ARM


class DisARM(ARM):
    """Evaluate the costs at an antithetic pair of draws, and weight their difference where they differ.

    With an antithetic pair x, x' of draws, estimates the derivative in the logit φ by
    ½ (f(x) − f(x')) (x − x') max(p, 1 − p), and E f by the mean of the two. Prefer it to `ScoreFunction` and
    `LeaveOneOut(2)` for many mixed Bernoulli choices, as in a sigmoid belief network. Cost: two evaluations, however
    many elements are mixed.

    Requirements: Bernoulli, in events of several too. First derivatives only.

    Raises:
        EstimatorError: another distribution; a second derivative.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"x": estimators.DisARM()})
        ... def heads(logits):
        ...     return vipl.sample("x", dist.Bernoulli(logits=logits).to_event(1)).sum() ** 2.0
        >>> jax.grad(heads, argnums=1)(jax.random.key(0), jax.numpy.zeros(5)).shape
        (5,)

    Source: Dong, Mnih and Tucker 2020, arXiv 2006.10680, eq. 4; Yin et al. 2020 (U2G).
    """

    def _coefficient(self, uniform, first, second, chance):
        del uniform
        sign = first.astype(chance.dtype) - second.astype(chance.dtype)
        return 0.5 * sign * jnp.maximum(chance, 1 - chance)
