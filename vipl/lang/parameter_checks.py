"""Checks of the parameters of a site's distribution, made where they are known before anything runs."""

from __future__ import annotations

import jax
import numpy as np

from vipl._core.errors import SupportError
from vipl.distributions.support import (
    constraint_name,
    describe_constraint,
    first_violation,
    kind_of,
    parameter_violations,
)
from vipl.distributions.violations import empty_support


def support_of(distribution):
    """Return the support of a distribution, or None where NumPyro does not know it."""
    try:
        return distribution.support
    except (NotImplementedError, AttributeError, TypeError):
        return None


def check_parameters(distribution, support, address, where):
    """Refuse parameters that are known and lie outside of their constraints, and a support that is empty."""
    for name, value, constraint in parameter_violations(distribution):
        raise SupportError(
            f"parameter {name!r} of {kind_of(distribution)} at site {address!r} is {_worst(constraint, value)}, "
            f"and must lie in: {describe_constraint(constraint)}.",
            where=where,
            fix=f"correct {name!r}; a learnable one takes its constraint along: "
            f"vipl.param({name!r}, …, constraint={constraint_name(constraint)})",
        )
    bounds = empty_support(support)
    if bounds is not None:
        raise SupportError(
            f"{kind_of(distribution)} at site {address!r} has no support: it reaches from {bounds[0]} to {bounds[1]}.",
            where=where,
            fix="the lower bound first, and below the upper one",
        )
    for leaf in jax.tree.leaves(distribution):
        if isinstance(leaf, float) and np.isnan(leaf):
            raise SupportError(
                f"a parameter of site {address!r} is NaN.",
                where=where,
                fix="find where it is computed: 0/0, log(-1), …",
            )


def _worst(constraint, value):
    """Return a value, or of an array the first part that violates a constraint, and its index."""
    index = first_violation(constraint, np.asarray(value))
    return f"{np.asarray(value)[index]} at index {index}" if index else value
