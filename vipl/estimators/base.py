"""What an estimator is: weighted samples that keep value and derivative of every expectation."""

from __future__ import annotations

import dataclasses
import functools

import jax

from vipl._core.static import Skeleton, StaticValue


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class WeightedSamples:
    """Values with weights, on a leading sample axis.

    Attributes:
        values: `(num_samples, *batch_shape, *event_shape)`.
        weights: `(num_samples, *batch_shape)`, or None if `log_weights` are given.
        log_weights: logarithms of the weights; better where weights of many elements are multiplied.
        control: `(*batch_shape)`; a control variate that is added to the objective. Its mean over the draw, weights
            included, must be zero for all parameters, so that its derivatives have mean zero too.

    Example:
        >>> import jax.numpy as jnp
        >>> from vipl.estimators import WeightedSamples
        >>> p = 0.3
        >>> both = WeightedSamples(values=jnp.array([0, 1]), weights=jnp.array([1 - p, p]))
        >>> round(float(jnp.sum(both.weights * both.values**2)), 2)
        0.3
    """

    values: jax.Array
    weights: jax.Array | None = None
    log_weights: jax.Array | None = None
    control: jax.Array | None = None


class Estimator:
    """Base of the gradient estimators.

    For a choice with distribution p, an estimator returns values x_w and weights ω_w such that for every f
    E[Σ ω_w f(x_w)] = E f(x), and the same holds for the derivative in the parameters of p.

    To write one, subclass it and define `weigh`, and `refusal` if it does not serve every distribution. An estimator
    is a pytree whose leaves are those of its fields that are arrays; these may be computed in the program.

    Attributes:
        pooled: whether `weigh` takes the site's base noise in place of a key.
        single: whether `weigh` returns one value.
        exact: whether the weighted sum over the values has no variance.
        fixed: whether the values depend on nothing, only their weights on the parameters.
        pathwise: whether derivatives go through the values, so that the costs must be continuous in them.
        first_order: whether only first derivatives are right, and a second one is refused.
        relaxed: whether values of a discrete site are floating-point numbers, some of them between its points.
        biased: whether the gradient is only approximately right.

    Example:
        >>> import dataclasses, jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> from vipl import estimators
        >>> @dataclasses.dataclass(frozen=True)
        ... class BothSides(estimators.Estimator):
        ...     exact = fixed = True
        ...     def weigh(self, key, distribution, joint_axes):
        ...         p = distribution.probs
        ...         values = jnp.stack([jnp.zeros_like(p, int), jnp.ones_like(p, int)])
        ...         return estimators.WeightedSamples(values, jnp.stack([1 - p, p]))
        >>> @vipl.expectation(estimators={"x": BothSides()})
        ... def cost(p):
        ...     return (vipl.sample("x", dist.Bernoulli(p)) - 0.49) ** 2
        >>> round(float(jax.grad(cost, argnums=1)(jax.random.key(0), 0.3)), 2)
        0.02
    """

    pooled = False
    single = False
    exact = False
    fixed = False
    pathwise = False
    first_order = False
    relaxed = False
    biased = False

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        jax.tree_util.register_pytree_node(cls, _flatten, functools.partial(_unflatten, cls))

    def at(self, distribution) -> Estimator:
        """Return the estimator for one site, once its distribution is known and before it is drawn."""
        del distribution
        return self

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
        fields = ", ".join(f"{name}={_show(value)}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other):
        if type(self) is not type(other):
            return False
        (mine, static), (others, other_static) = _flatten(self), _flatten(other)
        return static == other_static and all(a is b for a, b in zip(mine, others, strict=True))

    def __hash__(self):
        return hash((type(self), _flatten(self)[1]))


def _is_array(leaf) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _flatten(estimator):
    """Return the arrays in the fields, and the rest."""
    leaves, treedef = jax.tree.flatten(dict(sorted(vars(estimator).items())))
    rest = tuple(None if _is_array(leaf) else StaticValue(leaf) for leaf in leaves)
    return [leaf for leaf in leaves if _is_array(leaf)], Skeleton(treedef, rest)


def _unflatten(cls, static, arrays):
    estimator = object.__new__(cls)
    vars(estimator).update(static.fill(arrays))
    return estimator


def _show(value) -> str:
    if _is_array(value):
        return f"{value.dtype}{list(value.shape)}"
    return getattr(value, "__name__", None) or repr(value)
