"""`REBAR`: the score function, with the costs of a relaxed draw as its baseline."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike

from vipl.distributions.log_prob import log_prob
from vipl.estimators.base import Estimator, WeightedSamples
from vipl.estimators.relaxed.relaxation import Relaxation, relaxation_of, unserved


class REBAR(Estimator):
    """Evaluate the costs at a draw b, at its relaxation s, and at a relaxation s̃ that is drawn again given b.

    With M = exp(ℓ − stop_gradient(ℓ)), ℓ = log p(b), the weights are M, η and −η M: the mean of η f(s) − η M f(s̃) is
    zero, and it moves with the score term M f(b). Prefer it to `ScoreFunction` where the costs are smooth in the value,
    as a network's are, and many elements are mixed; `DisARM` needs two evaluations in place of three. Right at every
    order. Its two parameters may be traced, and trained to lower the squared gradient, of which `jax.grad` gives the
    derivative.

    Args:
        temperature: τ of the relaxation, positive; the lower, the closer to the draw.
        scale: η, the strength of the control variate.

    Requirements: Bernoulli or OneHotCategorical. The site's value is of floating-point type, and the costs are defined
    and continuous between its points: `log_density(model, trace)` is, linearly; `jnp.where(z == 1, a, b)` is not.

    Raises:
        EstimatorError: another distribution.
        BiasWarning: the costs jump between the points.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def cost(logits):
        ...     z = vipl.sample("z", dist.Bernoulli(logits=logits).to_event(1), estimator=estimators.REBAR())
        ...     return jnp.sum(z - 0.4) ** 2
        >>> jax.grad(cost, argnums=1)(jax.random.key(0), jnp.zeros(5)).shape
        (5,)

    Source: Tucker et al. 2017, arXiv 1703.07370, eq. 6.
    """

    pathwise = True
    relaxed = True

    def __init__(self, temperature: ArrayLike = 0.5, scale: ArrayLike = 1.0):
        self.temperature, self.scale = temperature, scale

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return the three values and their weights."""
        drawn = relaxation_of(distribution, key, self.temperature)
        chance = log_prob(distribution, drawn.hard, guard=False)
        if joint_axes:
            chance = jnp.sum(chance, axis=tuple(joint_axes), keepdims=True)
        score = jnp.exp(chance - lax.stop_gradient(chance))
        scale = jnp.broadcast_to(self.scale, score.shape)
        values = jnp.stack([drawn.hard, drawn.soft, drawn.again])
        return WeightedSamples(values, jnp.stack([score, scale, -scale * score]), control=self._control(drawn, score))

    def _control(self, drawn: Relaxation, score):
        """Return a further term of mean zero, or None."""
        del drawn, score

    def refusal(self, statement) -> str | None:
        """Return why a site has no relaxation, or None."""
        return unserved(statement)
