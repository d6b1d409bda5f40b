"""What a context is: where a choice can stand, as an objective program with its exact twin.

A program gets `draw(address, theta)`, which samples the family under test and returns the feature of its value. The
twin gets `mean(theta, f)`, the exact E f(feature), and nests it. None is linear in the features. To add a context,
decorate its program with `@context(twin)`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp

SCALES = (1.0, 0.7, 1.2)


@dataclasses.dataclass(frozen=True)
class Context:
    """A context: its program and exact twin, how often to differentiate.

    Attributes:
        name: how it is called.
        program: `program(draw, theta)`, run inside an expectation; `draw(address, theta)` samples the family under
            test and returns the feature of its value.
        twin: `twin(mean, theta)`, its exact value; `mean(theta, f)` is the exact E f(feature).
        lanes_mixed: whether only estimators of one value can serve, since the lanes of a jax.vmap are mixed.
        noisy: whether there is another choice, of an estimator with variance.
        order: 1, or 2 for the Hessian.

    Example:
        >>> from vipl.testing import Context
        >>> square = lambda u: u**2
        >>> program, twin = lambda draw, theta: square(draw("x", theta)), lambda mean, theta: mean(theta, square)
        >>> mine = Context("mine", program, twin)
        >>> mine.order
        1
    """

    name: str
    program: Callable
    twin: Callable
    lanes_mixed: bool = False
    noisy: bool = False
    order: int = 1


CONTEXTS: dict[str, Context] = {}


def context(twin, **options):
    """Return a decorator that registers a program, with its exact twin, under its own name."""

    def register(program):
        CONTEXTS[program.__name__] = Context(program.__name__, program, twin, **options)
        return program

    return register


def shift(theta, u):
    """Return parameters that depend on an earlier choice."""
    return theta * (1 + 0.25 * u)


def cost(theta, u, v=0.0):
    """Return a smooth cost of two features."""
    return jnp.exp(0.8 * u + 0.4 * v + 0.3 * u * v) * (1 + 0.1 * theta[0])


def stacked(theta):
    """Return the parameters of a plate of three."""
    return theta * jnp.array(SCALES)[:, None]


def grid(theta):
    """Return the parameters of two nested plates of two."""
    return theta * jnp.array([[1.0, 0.7], [1.2, 0.9]])[..., None]


def dependent_pair(mean, theta):
    """Return the exact value of a cost of two choices, the second of which depends on the first."""
    return mean(theta, lambda u: mean(shift(theta, u), lambda v: cost(theta, u, v)))
