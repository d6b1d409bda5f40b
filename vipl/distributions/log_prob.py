"""Log densities that are −inf with a zero gradient outside the support, never NaN.

    log_prob(dist.Exponential(rate), jnp.array([0.5, -1.0]))    # [log rate - 0.5 rate, -inf]

Every rule returns a pair: the log density of the value, moved into the support where it was outside, and
which events were inside (None: all). One `where` at the very end turns the rest into −inf, so an event that
is partly outside has a zero gradient throughout. Wrappers are taken apart by `RULES`; a class with no rule
is a leaf, whose support is checked and whose density comes from `formulas` or else from NumPyro.
A support that is all of the reals costs no equation.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from numpyro.distributions.distribution import Distribution

from vipl.distributions.checks import feasible, is_unrestricted, satisfies
from vipl.distributions.formulas import FORMULAS
from vipl.distributions.log_sigmoid import log_sigmoid
from vipl.distributions.validation import unvalidated, validation_off


def log_prob(distribution: Distribution, value, *, guard: bool = True) -> jax.Array:
    """Return the log density (nats) of `value`, safe to differentiate everywhere.

    Args:
        distribution: any NumPyro distribution.
        value: array of shape `(*sample, *batch, *event)`, or broadcastable to it.
        guard: whether values may lie outside the support; False drops every check, and then a value
            outside gives anything.

    Returns:
        Array of shape `(*sample, *batch)`: exactly −inf, with zero derivatives in the value and in
        the parameters, where an event lies outside the support.

    Example:
        >>> import jax, vipl.distributions as dist
        >>> log_prob(dist.Exponential(2.0), -1.0).item()
        -inf
        >>> jax.grad(lambda rate: log_prob(dist.Exponential(rate), -1.0))(2.0).item()
        0.0
    """
    value = jnp.asarray(value)
    if value.dtype == bool:
        value = value.astype(jnp.int32)
    sample_shape = value.shape[: max(value.ndim - distribution.event_dim, 0)]
    shape = lax.broadcast_shapes(distribution.batch_shape, sample_shape)
    with validation_off():
        density, inside = evaluate(unvalidated(distribution), value, guard)
    if inside is not None:
        density = jnp.where(inside, density, -jnp.inf)
    return density if jnp.shape(density) == shape else jnp.broadcast_to(density, shape)


def evaluate(d: Distribution, value, guard: bool):
    """Return the log density at `value` moved inside, and which events were inside (or None)."""
    return RULES.get(type(d).log_prob, _leaf)(d, value, guard)


def interior(d: Distribution, like):
    """Return a value inside the support of `d`, or None where none is known."""
    while isinstance(d, (dist.Independent, dist.ExpandedDistribution, dist.MaskedDistribution)):
        d = d.base_dist
    if isinstance(d, dist.Delta):
        return d.v
    if isinstance(d, dist.TransformedDistribution) and type(d).log_prob is dist.TransformedDistribution.log_prob:
        value = interior(d.base_dist, jnp.zeros(d.base_dist.batch_shape + d.base_dist.event_shape))
        for transform in d.transforms if value is not None else ():
            value = transform(value)
        return value
    try:
        return feasible(d.support, like)
    except NotImplementedError:
        return None


def _moved_inside(constraint, value, event_dim: int, guard: bool):
    """Return the value with offenders replaced, and which events of `event_dim` axes were inside."""
    if not guard or is_unrestricted(constraint):
        return value, None
    inside = satisfies(constraint, lax.stop_gradient(value) if constraint.event_dim else value)
    if inside is None:
        return value, None
    substitute = jnp.asarray(feasible(constraint, value), value.dtype)
    kept = jnp.expand_dims(inside, tuple(range(-constraint.event_dim, 0)))
    return jnp.where(kept, value, substitute), _all(inside, event_dim - constraint.event_dim)


def _leaf(d, value, guard):
    value, inside = _moved_inside(d.support, value, d.event_dim, guard)
    formula = FORMULAS.get(type(d).log_prob)
    return (formula(d, value) if formula else d.log_prob(value)), inside


def _expanded(d, value, guard):
    return evaluate(d.base_dist, value, guard)


def _independent(d, value, guard):
    # the base may depend on fewer axes than the event has: broadcast before summing
    density, inside = evaluate(d.base_dist, value, guard)
    base_dim = d.base_dist.event_dim
    value_shape = jnp.shape(value)[: max(jnp.ndim(value) - base_dim, 0)]
    density = jnp.broadcast_to(density, lax.broadcast_shapes(jnp.shape(density), d.base_dist.batch_shape, value_shape))
    if inside is not None:
        inside = jnp.broadcast_to(inside, density.shape)
    count = d.reinterpreted_batch_ndims
    return sum_last(density, count), _all(inside, count)


def _masked(d, value, guard):
    if d._mask is False:
        return jnp.zeros(d.batch_shape), None
    if d._mask is True:
        return evaluate(d.base_dist, value, guard)
    # a masked value may be anything, NaN for a missing one too, and must not reach a derivative
    substitute = interior(d.base_dist, value)
    if substitute is not None:
        kept = jnp.expand_dims(d._mask, tuple(range(-d.event_dim, 0)))
        value = jnp.where(kept, value, jnp.asarray(substitute, value.dtype))
    density, inside = evaluate(d.base_dist, value, guard)
    density = jnp.where(d._mask, density, 0.0)
    return density, None if inside is None else inside | ~d._mask


def _transformed(d, value, guard):
    event_dim, log_det, inside = d.event_dim, 0.0, None
    for transform in reversed(d.transforms):
        # an affine map has an inverse everywhere, and its codomain guesses the sign of a traced scale
        if not isinstance(transform, dist.transforms.AffineTransform):
            value, inside_here = _moved_inside(transform.codomain, value, event_dim, guard)
            inside = _and(inside, inside_here)
        before = transform.inv(value)
        extra = event_dim - transform.codomain.event_dim
        log_det = log_det + sum_last(log_abs_det(transform, before, value), extra)
        event_dim = transform.domain.event_dim + extra
        value = before
    density, inside_base = evaluate(d.base_dist, value, guard)
    extra = event_dim - d.base_dist.event_dim
    return sum_last(density, extra) - log_det, _and(inside, _all(inside_base, extra))


def log_abs_det(transform, before, after, intermediates=None):
    """Return log |det| of the derivative of a transform, where NumPyro's own overflows near an edge too."""
    if isinstance(transform, dist.transforms.PowerTransform):
        exponent = jnp.asarray(transform.exponent)
        return jnp.log(jnp.abs(exponent)) + (exponent - 1) * jnp.log(before)
    return transform.log_abs_det_jacobian(before, after, intermediates)


def _folded(d, value, guard):
    value, inside = _moved_inside(d.support, value, 0, guard)
    # guarded in any case: a value inside the whole may lie outside one of its parts
    sides = [evaluate(d.base_dist, sign * value, True) for sign in (1, -1)]
    density, inside_base = _log_sum(*(jnp.stack(jnp.broadcast_arrays(*part), -1) for part in _full(sides)))
    return density, _and(inside, inside_base)


def _mixture(d, value, guard):
    log_weight = jax.nn.log_softmax(d.mixing_distribution.logits)
    # the components are guarded in any case: one of them may have a smaller support than the mixture
    if isinstance(d, dist.MixtureSameFamily):
        component = d.component_distribution
        density, inside = evaluate(component, jnp.expand_dims(value, d.mixture_dim), True)
        inside = jnp.ones_like(density, bool) if inside is None else inside
    else:
        parts = [evaluate(component, value, True) for component in d.component_distributions]
        density, inside = (jnp.stack(jnp.broadcast_arrays(*part), -1) for part in _full(parts))
    return _log_sum(density + log_weight, inside & jnp.isfinite(log_weight))


def _hurdle(d, value, guard):
    value = jnp.asarray(value)
    zero = value == 0
    substitute = interior(d.base_dist, value)
    assert substitute is not None, "what a hurdle stands before is a count, or positive"
    away = jnp.where(zero, jnp.asarray(jnp.maximum(substitute, 1), value.dtype), value)
    density, inside = evaluate(d.base_dist, away, guard)
    if isinstance(d, dist.HurdleLogits):
        logits = jnp.asarray(d.gate_logits)
        log_gate, log_rest = log_sigmoid(logits), log_sigmoid(-logits)
    else:
        log_gate, log_rest = jnp.log(d.gate), jnp.log1p(-d.gate)
    if d.base_dist.is_discrete:
        log_zero = evaluate(d.base_dist, jnp.zeros((), jnp.int32), guard)[0]
        density = density - jax.nn.log1mexp(-log_zero)
    return jnp.where(zero, log_gate, log_rest + density), None if inside is None else inside | zero


def _interval_censored(d, value, guard):
    if not guard:
        return d.log_prob(value), None
    # an end that was not observed may be anything; two that were must be in order
    left_only, right_only = d.left_censored & ~d.right_censored, d.right_censored & ~d.left_censored
    unseen = jnp.stack(jnp.broadcast_arrays(left_only, right_only), -1)
    kept = unseen | (value[..., :1] <= value[..., 1:]) | jnp.any(unseen, -1, keepdims=True)
    inside = None if is_unrestricted(d.support) else satisfies(d.support, value)
    if inside is not None:
        kept = kept & (unseen | inside)
    kept = jnp.all(kept, -1)
    value = jnp.where(kept[..., None], value, jnp.asarray(feasible(d.support, value), value.dtype))
    return d.log_prob(value), kept


def _delta(d, value, guard):
    inside = _all(jnp.equal(value, d.v), d.event_dim) if guard else None
    return jnp.asarray(d.log_density), inside


def _full(parts):
    """Split pairs into the densities and the insides, with nothing left None."""
    densities = [density for density, _ in parts]
    insides = [jnp.ones_like(x, bool) if i is None else i for x, i in parts]
    return densities, insides


def _log_sum(density, inside):
    """Return the log of a sum of densities over the last axis, and whether any was inside."""
    any_inside = jnp.any(inside, -1)
    density = jnp.where(inside, density, -jnp.inf)
    return jax.nn.logsumexp(jnp.where(any_inside[..., None], density, 0.0), axis=-1), any_inside


def sum_last(x, count: int):
    """Sum the last `count` axes; none of them costs nothing."""
    return jnp.sum(x, tuple(range(-count, 0))) if count else x


def _all(inside, count: int):
    return inside if inside is None or count <= 0 else jnp.all(inside, tuple(range(-count, 0)))


def _and(first, second):
    if first is None or second is None:
        return second if first is None else first
    return first & second


# Keyed by the method, so that a subclass that inherits its density inherits the rule, and no other does.
RULES = {
    dist.ExpandedDistribution.log_prob: _expanded,
    dist.Independent.log_prob: _independent,
    dist.MaskedDistribution.log_prob: _masked,
    dist.TransformedDistribution.log_prob: _transformed,
    dist.FoldedDistribution.log_prob: _folded,
    dist.MixtureSameFamily.log_prob: _mixture,
    dist.HurdleProbs.log_prob: _hurdle,
    dist.IntervalCensoredDistribution.log_prob: _interval_censored,
    dist.Delta.log_prob: _delta,
}
