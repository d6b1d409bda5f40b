"""What a family is: a distribution with parameters, whose expectations are known exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Family:
    """One distribution with parameters, and one feature of its values that objectives are made of.

    A feature is a number between −1 and 1: smooth for pathwise estimators, else with a jump. Expectations are explicit
    sums over nodes that do not move with the parameters, so that JAX differentiates them exactly, at every order; they
    nest. Densities are written by hand: a reference uses nothing of vipl.

    Attributes:
        name: how it is called.
        make: the distribution for parameters `(..., num_parameters)`, of batch shape `(...)`.
        theta: the parameters to use. Objectives multiply them by 0.5 to 1.55.
        nodes: `(num_nodes, *event)`; the support, or the nodes of a quadrature.
        areas: `(num_nodes,)`; weights of the quadrature, ones for a discrete family.
        log_density: of parameters `(num_parameters,)` at the nodes.
        smooth: the feature of a value without a jump.
        jumpy: the feature of a value with a jump.
        continuous: whether values are.

    Example:
        >>> from vipl.testing import FAMILIES
        >>> mean = FAMILIES["bernoulli"].expect(jnp.array([0.25]), lambda u: jnp.where(u > 0, 1.0, 0.0))
        >>> round(float(mean), 5)
        0.25
    """

    name: str
    make: Callable
    theta: tuple[float, ...]
    nodes: np.ndarray
    areas: np.ndarray
    log_density: Callable
    smooth: Callable
    jumpy: Callable
    continuous: bool

    def expect(self, theta, f, *, smooth=False):
        """Return E f(feature) exactly."""
        return self.expect_with_density(theta, lambda u, _: f(u), smooth=smooth)

    def expect_with_density(self, theta, f, *, smooth=False):
        """Return E f(feature, log density) exactly."""
        log_density = self.log_density(theta, jnp.asarray(self.nodes))
        features = (self.smooth if smooth else self.jumpy)(jnp.asarray(self.nodes))
        return jnp.sum(self.areas * jnp.exp(log_density) * jax.vmap(f)(features, log_density))
