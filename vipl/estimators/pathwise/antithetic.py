"""`Antithetic`: the pathwise estimator at a draw and at its mirror image."""

from __future__ import annotations

import jax.numpy as jnp

from vipl.distributions.base_noise import noise_of, transport_value
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.pathwise.reparam import Reparam


class Antithetic(Estimator):
    """Average the costs at a draw and at its mirror image, made from −ε (or 1 − u) in place of ε (or u).

    Estimates ∇ E f(x) by ½ ∇ f(x(ε, θ)) + ½ ∇ f(x(−ε, θ)). Prefer it to `Reparam` where the costs are nearly linear or
    monotone in the value: what is odd in the noise cancels, and the mean of a linear function is exact. Where they are
    even in the noise it gains nothing. Cost: two evaluations.

    Requirements: those of `Reparam`, and base noise that is standard normal or uniform (not Gamma, Beta, Dirichlet).

    Raises:
        EstimatorError: when the objective is traced, if the distribution has no such noise.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def mean(loc):
        ...     return 2.0 * vipl.sample("x", dist.Normal(loc, 1.0), estimator=estimators.Antithetic())
        >>> round(float(mean(jax.random.key(0), 3.0)), 5)
        6.0

    Source: Hammersley and Morton 1956; for gradients, Wu et al. 2019, arXiv 1810.02555, §2.
    """

    pooled = True
    pathwise = True

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the draw and its mirror image, of weight ½ each."""
        mirrored = mirror(noise_of(distribution).kind, key)
        values = jnp.stack([transport_value(distribution, noise) for noise in (key, mirrored)])
        kept = [1 if axis in joint_axes else size for axis, size in enumerate(distribution.batch_shape)]
        return WeightedSamples(values, jnp.full((2, *kept), 0.5))

    def refusal(self, statement) -> str | None:
        """Return why a site has no mirror image, or None."""
        return Reparam().refusal(statement) or without_noise(statement)


def mirror(kind: str, noise):
    """Return noise of the same law, as far as can be on the other side."""
    return -noise if kind == "normal" else (1 - jnp.finfo(noise.dtype).eps) - noise  # of the grid of [0, 1)


def without_noise(statement) -> str | None:
    """Return why a site has no base noise to arrange, or None."""
    kinds = ("normal", "uniform")
    return None if statement.noise.kind in kinds else "its draws are not made from standard normal or uniform noise"
