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
        weights: `(num_samples, *batch_shape)`, or None if `log_weights` are given.
        log_weights: logarithms of the weights; better where weights of many elements are multiplied.
        baseline: with `log_weights`: what to subtract from the costs, shaped like the weights; a control variate,
            −baseline · (weight − 1), whose mean is zero whatever it is, as long as it does not depend on the value.
    """

    values: jax.Array
    weights: jax.Array | None = None
    log_weights: jax.Array | None = None
    baseline: jax.Array | None = None


class Estimator:
    """Base of the gradient estimators.

    For a choice with distribution p, an estimator returns values x_w and weights ω_w such that for every f
    E[Σ ω_w f(x_w)] = E f(x), and the same holds for the derivative in the parameters of p.

    To write one, subclass it and define `weigh`, and `refusal` if it does not serve every distribution.

    Attributes:
        pooled: whether `weigh` takes the site's base noise in place of a key.
        single: whether `weigh` returns one value.
        exact: whether the weighted sum over the values has no variance.
        fixed: whether the values depend on nothing, only their weights on the parameters.
        pathwise: whether derivatives go through the values, so that the costs must be continuous in them.
        first_order: whether only first derivatives are right, and a second one is refused.
    """

    pooled = False
    single = False
    exact = False
    fixed = False
    pathwise = False
    first_order = False

    def weigh(self, key, distribution, joint_axes) -> WeightedSamples:
        """Return weighted samples of a distribution.

        Args:
            key: a typed key; with `pooled = True` instead the noise that `vipl.distributions.base_noise.transport`
                turns into a draw, so that all sites share one random call.
            distribution: the distribution of the choice.
            joint_axes: the batch axes whose elements the objective does not treat separately.
        """
        raise NotImplementedError

    def refusal(self, statement) -> str | None:
        """Return why this estimator cannot serve a site, or None if it can."""
        return None

    def allows(self, statement, joint_sizes) -> bool:
        """Return whether it serves a site whose elements the objective mixes along axes of these sizes."""
        del statement, joint_sizes
        return True

    def __repr__(self):
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self):
        return hash((type(self), tuple(sorted(vars(self).items()))))
