"""What an estimator is: weighted samples that keep value and derivative of every expectation."""

from __future__ import annotations

import dataclasses

import jax


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class WeightedSamples:
    """Values with weights, on a leading sample axis.

    Attributes:
        values: `(num_samples, *batch_shape, *event_shape)`.
        weights: `(num_samples, *batch_shape)`.
    """

    values: jax.Array
    weights: jax.Array


class Estimator:
    """Base of the gradient estimators.

    For a choice with distribution p, an estimator returns values x_w and weights ω_w such that for every f
    E[Σ ω_w f(x_w)] = E f(x), and the same holds for the derivative in the parameters of p.

    To write one, subclass it and define `weigh`, and `refusal` if it does not serve every distribution.
    """

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return weighted samples of a distribution.

        Args:
            key: a typed key.
            distribution: the distribution of the choice.
            joint_axes: the batch axes whose elements the objective does not treat separately.
        """
        raise NotImplementedError

    def refusal(self, statement) -> str | None:
        """Return why this estimator cannot serve a site, or None if it can."""
        return None

    def __repr__(self):
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self):
        return hash((type(self), tuple(sorted(vars(self).items()))))
