"""Choices with others beside and before them, in programs and expectations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

import vipl.distributions as dist
from vipl import estimators, lang, tracing, transform
from vipl.testing.contexts.context import SCALES, context, cost, dependent_pair, shift, stacked


@context(dependent_pair)
def nested_program(draw, theta):
    """A program inside a program, simulated."""

    @lang.program
    def inner(theta):
        return draw("x", theta)

    @lang.program
    def outer(theta):
        u = lang.sample("inner", inner(theta))
        return u, draw("y", shift(theta, u))

    features: Any = tracing.simulate(outer(theta)).value
    return cost(theta, *features)


def _weighted_pair(mean, theta):
    return mean(theta, lambda u: (1 + 0.5 * u) * mean(shift(theta, u), lambda v: cost(theta, u, v)))


@context(_weighted_pair)
def nested_expectation(draw, theta):
    """An expectation inside the expectation, with a choice of its own."""

    @transform.expectation
    def inner(u):
        return cost(theta, u, draw("y", shift(theta, u)))

    u = draw("x", theta)
    return (1 + 0.5 * u) * transform.expect(inner, u)


@context(dependent_pair)
def after_another_choice(draw, theta):
    """A choice whose parameters depend on another choice."""
    u = draw("x", theta)
    return cost(theta, u, draw("y", shift(theta, u)))


def _with_normal(mean, theta):
    # E exp(a y + b) for y ~ Normal(m, s) is exp(a m + a²s²/2 + b).
    def closed(u):
        rate = 0.4 + 0.3 * u
        return jnp.exp(0.8 * u + rate * (0.1 * theta[0] + 0.7 * u) + (0.7 * rate) ** 2 / 2) * (1 + 0.1 * theta[0])

    return mean(theta, closed)


@context(_with_normal, noisy=True)
def pathwise_neighbour(draw, theta):
    """A reparameterised choice that depends on this one."""
    u = draw("x", theta)
    y = lang.sample("y", dist.Normal(0.1 * theta[0] + 0.7 * u, 0.7), estimator=estimators.Reparam())
    return cost(theta, u, y)


def _bound(mean, theta):
    first, second, third = (theta * s for s in SCALES)

    def log_mean(u, v, w):
        return jax.nn.logsumexp(1.5 * jnp.stack([u, v, w])) * (1 + 0.1 * theta[0])

    return mean(first, lambda u: mean(second, lambda v: mean(third, lambda w: log_mean(u, v, w))))


@context(_bound)
def iwelbo_like(draw, theta):
    """A logarithm of a mean over a plate, as in an importance-weighted bound."""
    with lang.plate("n", 3):
        u = draw("x", stacked(theta))
    return jax.nn.logsumexp(1.5 * u) * (1 + 0.1 * theta[0])


@context(dependent_pair, order=2)
def second_derivative(draw, theta):
    """The Hessian, with two dependent choices."""
    return after_another_choice(draw, theta)


def _entropy(mean, theta):
    def after(u, p):
        return mean.with_density(shift(theta, u), lambda v, q: cost(theta, u, v) - p - q)

    return mean.with_density(theta, after)


@context(_entropy)
def entropy(draw, theta):
    """The log densities of the choices themselves among the costs."""

    @lang.program
    def guide(theta):
        u = draw("x", theta)
        return u, draw("y", shift(theta, u))

    trace = tracing.simulate(guide(theta))
    features: Any = trace.value
    return cost(theta, *features) - trace.log_density
