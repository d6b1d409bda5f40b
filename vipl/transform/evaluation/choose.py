"""A choice of the objective: drawn by its estimator, with its weights noted."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from vipl._core.statement import over_lanes
from vipl.distributions.base_noise import transport_value
from vipl.distributions.log_prob import log_prob
from vipl.distributions.unmasked import unmasked
from vipl.transform.evaluation.terms import Term, Value, depending, plain
from vipl.transform.evaluation.weights import ChoiceWeights
from vipl.transform.provenance import propagate
from vipl.transform.provenance.alignment import Along, Dependence, merge


def draw_choice(evaluation, statement, leaves: list[Term], noise, path) -> Value:
    """Return the value of a choice, and note its weights in the evaluation."""
    plan = evaluation.plan
    estimator = plan.estimators[path]
    if not plan.is_weighted(path):
        return _pathwise(evaluation, statement, leaves, noise)
    around = len(plan.located(path).axes)
    joint_axes = tuple(axis - around for axis in plan.joint_axes.get(path, ()))
    lanes = len(statement.lanes)
    own_axes = tuple(axis - lanes for axis in joint_axes)

    def weigh(*xs):
        own = statement.filled(xs[:-1]) if estimator is statement.estimator else estimator
        return own.weigh(xs[-1], unmasked(statement.distribution(xs[:-1])), own_axes)

    drawn, samples = evaluation.mapped(over_lanes(weigh, statement.lanes, extra=1), leaves, noise)
    log = drawn.weights is None
    # The new sample axis stands behind the lanes; bring it behind the older sample axes.
    front = len(samples)
    values = jnp.moveaxis(drawn.values.astype(statement.dtype), front + lanes, front)
    weights = jnp.moveaxis(drawn.log_weights if log else drawn.weights, front + lanes, front)
    if values.shape[front] == 1:
        values, weights = jnp.squeeze(values, front), jnp.squeeze(weights, front)
        own_samples = samples
    else:
        evaluation.sizes[path] = values.shape[front]
        own_samples = (*samples, path)
    own_values = own_samples
    if estimator.fixed and front:  # the values are the same whatever the parameters
        values, own_values = values[(0,) * front], own_samples[front:]
    batch = len(statement.full_shape) - statement.event_dim
    dependence = choice_dependence(statement, leaves, path, batch)
    chosen = ChoiceWeights(own_samples, log, joint_axes, dependence, array=weights)
    evaluation.weights[path] = chosen
    evaluation.tokens[statement.token] = path
    if drawn.control is not None:
        evaluation.note_control(path, drawn.control, samples, choice_dependence(statement, leaves, None, batch))
    if not (own_samples or evaluation.tracked):
        return plain(values)  # its weights meet the terms outside
    return (Term(values, own_values, 0, dependence),)


def _pathwise(evaluation, statement, leaves, noise) -> Value:
    def one(*xs):
        return transport_value(statement.distribution(xs[:-1]), xs[-1])

    value, samples = evaluation.mapped(over_lanes(one, statement.lanes, extra=1), leaves, noise)
    batch = len(statement.full_shape) - statement.event_dim
    return (depending(value, samples, choice_dependence(statement, leaves, None, batch)),)


def choice_dependence(statement, leaves: list[Term], path, batch: int, front=()) -> Dependence:
    """Return what the value of a choice depends on.

    Args:
        statement: the choice.
        leaves: the leaves of its distribution.
        path: the choice itself if it is weighted, else None.
        batch: how many axes its value has, those of an event left out.
        front: alignment of the axes that the constructs around it add.
    """
    own: Dependence = {} if path is None else {path: (*front, *(Along(axis) for axis in range(batch)))}
    if not any(leaf.dependence for leaf in leaves):
        return own

    def density(*xs):
        return log_prob(unmasked(statement.distribution(xs[:-1])), xs[-1], guard=False)

    # An element of the batch depends on the parameters as its density does; event axes stand behind and mix nothing
    # that the density does not.
    value = jax.ShapeDtypeStruct(statement.full_shape, statement.dtype)
    jaxpr = jax.make_jaxpr(over_lanes(density, statement.lanes, extra=1))(*map(_outline, leaves), value)
    (upstream,) = propagate(jaxpr, [*(leaf.dependence for leaf in leaves), {}])
    return merge(own, upstream)


def _outline(term: Term):
    return jax.ShapeDtypeStruct(term.shape, jnp.result_type(term.array))
