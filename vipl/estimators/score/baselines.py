"""Baselines that learn: their state is a pytree that the training loop carries."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class RunningAverage:
    """The exponentially weighted mean of the costs that a choice was credited with so far.

    Prefer it where one estimate a step is all that can be paid for; with several, `ScoreFunction("leave_one_out")`
    needs no state.

    Attributes:
        total: weighted sum of the costs, `(*shape,)`.
        weight: sum of the weights.
        decay: how much of the weight is kept from one update to the next; static.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @vipl.expectation
        ... def cost(logit, average):
        ...     baseline = estimators.ScoreFunction(average.value)
        ...     return 7.0 + vipl.sample("x", dist.Bernoulli(logits=logit), estimator=baseline)
        >>> average, keys = estimators.RunningAverage.start(), jax.random.split(jax.random.key(0), 3)
        >>> for key in keys:
        ...     _, credits = cost.value_and_credits(key, 0.0, average)
        ...     average = average.update(credits["x"])
        >>> bool(jnp.isfinite(average.value))
        True

    Source: Williams 1992, §6; Mnih and Gregor 2014 (NVIL), arXiv 1402.0030, §2.3.
    """

    total: jax.Array
    weight: jax.Array
    decay: float = dataclasses.field(default=0.9, metadata={"static": True})

    @classmethod
    def start(cls, shape: tuple[int, ...] = (), decay: float = 0.9) -> RunningAverage:
        """Return the average of nothing yet: zero.

        Args:
            shape: of the baseline; it broadcasts to the batch of the site.
            decay: from 0 (the last costs alone) to below 1.
        """
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay!r}; it lies between 0 and 1, 1 excluded.")
        return cls(jnp.zeros(shape), jnp.zeros(()), decay)

    @property
    def value(self) -> jax.Array:
        """The average, to be used as the baseline of the next step."""
        return jnp.where(self.weight > 0, self.total / jnp.where(self.weight > 0, self.weight, 1.0), 0.0)

    def update(self, costs) -> RunningAverage:
        """Return the average with the costs of one more step.

        Args:
            costs: from `Expectation.value_and_credits`; leading axes beyond the baseline's are averaged.
        """
        costs = reduced(costs, jnp.shape(self.total))
        return RunningAverage(
            self.decay * self.total + (1 - self.decay) * costs, self.decay * self.weight + (1 - self.decay), self.decay
        )


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class RunningScale:
    """The factor by which a baseline serves a site best: E[cost · baseline] / E[baseline²], as running averages.

    Prefer it where a baseline (an average over other sites, the output of a network) has the right shape and not the
    right size: `ScoreFunction(scale.value * baseline)`. A useless baseline gets a factor of zero.

    Attributes:
        products: running average of cost · baseline.
        squares: running average of baseline².

    Example:
        >>> from vipl import estimators
        >>> scale = estimators.RunningScale.start().update(costs=6.0, baseline=2.0)
        >>> print(scale.value)
        3.0

    Source: Ranganath, Gerrish and Blei 2014, arXiv 1401.0118, eq. 9 (the scale of a control variate), with the score
    taken as independent of the costs' size.
    """

    products: RunningAverage
    squares: RunningAverage

    @classmethod
    def start(cls, shape: tuple[int, ...] = (), decay: float = 0.9) -> RunningScale:
        """Return the factor of nothing yet: zero."""
        return cls(RunningAverage.start(shape, decay), RunningAverage.start(shape, decay))

    @property
    def value(self) -> jax.Array:
        """The factor."""
        squares = self.squares.value
        return jnp.where(squares > 0, self.products.value / jnp.where(squares > 0, squares, 1.0), 0.0)

    def update(self, costs, baseline) -> RunningScale:
        """Return the factor after one more step, from what was credited and the baseline before it was scaled."""
        costs, baseline = jnp.asarray(costs), jnp.asarray(baseline)
        return RunningScale(
            self.products.update(costs * baseline),
            self.squares.update(jnp.broadcast_to(baseline**2, (costs * baseline).shape)),
        )


def regression_loss(baseline, costs) -> jax.Array:
    """Return the mean squared error of a baseline as a prediction of the costs, for its parameters to be trained by.

    Args:
        baseline: what was given to `ScoreFunction`; differentiable.
        costs: from `Expectation.value_and_credits`.

    Example:
        >>> from vipl import estimators
        >>> print(estimators.regression_loss(1.0, 3.0))
        4.0

    Source: Mnih and Gregor 2014 (NVIL), arXiv 1402.0030, eq. 8.
    """
    return jnp.mean((jnp.asarray(baseline) - lax.stop_gradient(jnp.asarray(costs))) ** 2)


def reduced(costs, shape: tuple[int, ...]):
    """Return costs averaged to a shape that broadcasts to theirs."""
    costs = lax.stop_gradient(jnp.asarray(costs))
    extra = costs.ndim - len(shape)
    costs = jnp.mean(costs, axis=tuple(range(extra))) if extra else costs
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and costs.shape[axis] != 1)
    return jnp.mean(costs, axis=axes, keepdims=True) if axes else costs
