"""Supports compared and described: is one inside another, and how to say it in words.

    is_within(constraints.positive, constraints.real)        # True
    is_within(constraints.real, constraints.positive)        # False
    describe_constraint(constraints.interval(0, 1))          # "reals in [0, 1]"

Two continuous supports are compared up to their edges, which carry no probability. Checks are in `violations`.
"""

from __future__ import annotations

import math

import numpy as np
from numpyro.distributions import ExpandedDistribution, constraints

from vipl.distributions.regions import region_of
from vipl.distributions.violations import first_violation, is_traced, parameter_violations

__all__ = [
    "constraint_name",
    "describe_constraint",
    "first_violation",
    "is_within",
    "kind_of",
    "parameter_violations",
]


def is_within(inner, outer) -> bool | None:
    """Return whether the first support is contained in the second, up to a set of probability zero.

    Shapes are compared elsewhere: reals in a plate and a vector of reals are the same set here.

    Args:
        inner: a NumPyro constraint; its bounds may be arrays.
        outer: another.

    Returns:
        True or False where it can be told; None for unknown constraints and traced bounds. A discrete
        support is never within a continuous one, nor the reverse: their densities have different units.

    Example:
        >>> from numpyro.distributions import constraints
        >>> is_within(constraints.unit_interval, constraints.positive)
        True
    """
    inner, outer = region_of(inner), region_of(outer)
    if inner is None or outer is None:
        return None
    if inner.discrete != outer.discrete:
        return False
    bounded = [_at_most(outer.lower, inner.lower), _at_most(inner.upper, outer.upper)]
    contained = [*bounded, _has_properties(inner, outer)]
    if False in contained:
        return False
    return None if None in contained else True


def describe_constraint(constraint) -> str:
    """Return the constraint in words.

    Example:
        >>> from numpyro.distributions import constraints
        >>> describe_constraint(constraints.integer_interval(0, 10))
        'integers 0..10'
    """
    region = region_of(constraint)
    if region is None:
        return f"values that satisfy {constraint!r}"
    if region.words is not None and not getattr(constraint, "reinterpreted_batch_ndims", 0):
        return region.words
    words = region.words or _integers(region) or _reals(region, constraint)
    return f"arrays of {words}" if region.event_dim else words


def constraint_name(constraint) -> str:
    """Return a constraint as a user writes it: `dist.constraints.positive`."""
    names = (name for name, known in vars(constraints).items() if known is constraint)
    return f"dist.constraints.{next(names, type(constraint).__name__)}"


def kind_of(distribution) -> str:
    """Return the name of a distribution's class, as the user wrote it: without what plates wrap around it."""
    while isinstance(distribution, ExpandedDistribution):
        distribution = distribution.base_dist
    return type(distribution).__name__.removesuffix("Probs").removesuffix("Logits")


def _integers(region):
    if not region.discrete:
        return None
    low, high = _number(region.lower), _number(region.upper)
    if high == "∞":
        return {"0": "nonnegative integers", "1": "positive integers"}.get(low, f"integers from {low}")
    return f"integers {low}..{high}"


def _reals(region, constraint):
    low, high = _number(region.lower), _number(region.upper)
    while hasattr(constraint, "base_constraint"):
        constraint = constraint.base_constraint
    closed = "Eq" in type(constraint).__name__ or type(constraint).__name__ == "_Nonnegative"
    if (low, high) == ("-∞", "∞"):
        return "reals"
    if high == "∞":
        if low == "0":
            return "nonnegative reals" if closed else "positive reals"
        return f"reals {'≥' if closed else '>'} {low}"
    if low == "-∞":
        return f"reals {'≤' if closed else '<'} {high}"
    brackets = "()" if "Open" in type(constraint).__name__ else "[]"
    return f"reals in {brackets[0]}{low}, {high}{brackets[1]}"


def _number(bound) -> str:
    if is_traced(bound):
        return "?"
    values = np.unique(np.asarray(bound))
    if values.size != 1:
        return f"{values.min():g}…{values.max():g}" if values.size else "?"
    value = float(values[0])
    return ("∞" if value > 0 else "-∞") if math.isinf(value) else f"{value:g}"


def _at_most(small, large) -> bool | None:
    """Return whether `small <= large` in every entry, comparing at the lower of two precisions."""
    for bound, worst in ((small, -math.inf), (large, math.inf)):
        if not is_traced(bound) and np.all(np.asarray(bound) == worst):
            return True
    if is_traced((small, large)):
        # an unbounded entry is not within any finite bound, known or not
        return False if _is_infinite(small) or _is_infinite(large) else None
    small, large = np.asarray(small), np.asarray(large)
    kinds = [x.dtype for x in (small, large) if np.issubdtype(x.dtype, np.floating)]
    if kinds:
        coarse = min(kinds, key=lambda kind: kind.itemsize)
        small, large = small.astype(coarse), large.astype(coarse)
    try:
        return bool(np.all(small <= large))
    except ValueError:  # shapes that do not broadcast belong to different events
        return None


def _is_infinite(bound) -> bool:
    return not is_traced(bound) and bool(np.any(np.isinf(np.asarray(bound))))


def _has_properties(inner, outer) -> bool:
    return outer.properties <= inner.properties
