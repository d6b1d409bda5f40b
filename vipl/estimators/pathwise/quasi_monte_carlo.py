"""`QuasiMonteCarlo`: the pathwise estimator at points that fill the space evenly."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from vipl.distributions.base_noise import noise_of, transport_value
from vipl.distributions.transports import open_uniform
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.pathwise.antithetic import without_noise
from vipl.estimators.pathwise.reparam import Reparam


class QuasiMonteCarlo(Estimator):
    """Average the costs at K draws made from a Sobol' sequence, shifted at random.

    Estimates ∇ E f(x) by the mean of ∇ f(x(ε_k, θ)). Each draw has the right law, so the mean is right for every K; on
    smooth costs of few dimensions the error falls nearly as 1/K in place of 1/√K. Cost: K evaluations.

    Args:
        num_samples: K, at least 2; best a power of two.

    Requirements: those of `Reparam`, and base noise that is standard normal or uniform (not Gamma, Beta, Dirichlet).

    Raises:
        EstimatorError: when the objective is traced, if the distribution has no such noise.

    Example:
        >>> import jax, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation(estimators={"x": estimators.QuasiMonteCarlo(64)})
        ... def square(loc):
        ...     return vipl.sample("x", dist.Normal(loc, 1.0)) ** 2
        >>> bool(abs(square(jax.random.key(0), 0.0) - 1.0) < 0.1)
        True

    Source: Buchholz, Wenzel and Mandt 2018, arXiv 1807.01604, §3; the shift: Cranley and Patterson 1976.
    """

    pooled = True
    pathwise = True

    def __init__(self, num_samples: int = 16):
        if not isinstance(num_samples, int) or num_samples < 2:
            raise ValueError(f"num_samples is {num_samples!r}; a sequence needs at least 2 points.")
        self.num_samples = num_samples

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return K draws of weight 1/K."""
        noise, shape = key, distribution.batch_shape
        is_normal = noise_of(distribution).kind == "normal"
        shift = jax.scipy.special.ndtr(noise) if is_normal else noise
        points = shift + jnp.asarray(self._points(noise.shape, len(shape), joint_axes), noise.dtype)
        uniforms = points - jnp.floor(points)
        noises = jax.scipy.special.ndtri(open_uniform(uniforms)) if is_normal else uniforms
        values = jax.vmap(lambda noise: transport_value(distribution, noise))(noises)
        kept = [1 if axis in joint_axes else size for axis, size in enumerate(shape)]
        return WeightedSamples(values, jnp.full((self.num_samples, *kept), 1 / self.num_samples))

    def _points(self, shape, batch_dim, joint_axes):
        """Return points `(K, *shape)`, a dimension for each element that is mixed with others.

        Elements that the objective treats separately share dimensions; each has a shift of its own.
        """
        axes = [axis for axis in range(len(shape)) if axis in joint_axes or axis >= batch_dim]
        sizes = [shape[axis] if axis in axes else 1 for axis in range(len(shape))]
        return sobol(self.num_samples, math.prod(sizes)).reshape(self.num_samples, *sizes)

    def refusal(self, statement) -> str | None:
        """Return why a site has no such draws, or None."""
        return Reparam().refusal(statement) or without_noise(statement)


_MOST_DIMENSIONS = 21_201  # of SciPy's table


def sobol(count: int, dimensions: int) -> np.ndarray:
    """Return the first points of a Sobol' sequence, `(count, dimensions)`; past those known, dimensions repeat."""
    from scipy.stats import qmc  # takes long to import

    known = max(1, min(dimensions, _MOST_DIMENSIONS))
    points = qmc.Sobol(known, scramble=False).random_base2(max(count - 1, 1).bit_length())[:count]
    return points[:, np.arange(dimensions) % known]
