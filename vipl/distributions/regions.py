"""What a constraint is, as data: an interval for every entry, and named properties of the whole event.

    region_of(constraints.simplex)          # entries in [0, 1], properties {"simplex", "l1_ball"}
    region_of(dist.Uniform(0.0, 2.0).support)

`REGIONS` has one line per class of constraint. A property implies others (a correlation matrix is positive
definite), so that inclusion of supports is inclusion of intervals and of property sets.
"""

from __future__ import annotations

import dataclasses
import math

from numpyro.distributions import constraints

INF = math.inf


@dataclasses.dataclass(frozen=True)
class Region:
    """A set of events.

    Attributes:
        lower, upper: bounds of every entry; numbers or arrays, traced ones too.
        discrete: whether the entries are integers.
        event_dim: number of axes of one event.
        properties: what the event as a whole satisfies, with all that follows from it.
        words: how a person would say it; None to derive it from the bounds.
    """

    lower: object = -INF
    upper: object = INF
    discrete: bool = False
    event_dim: int = 0
    properties: frozenset = frozenset()
    words: str | None = None


def region_of(constraint) -> Region | None:
    """Return the region of a constraint, or None for one that is not known."""
    for cls in type(constraint).__mro__:
        if cls in REGIONS:
            return REGIONS[cls](constraint)
    return None


def _structured(words, *properties, lower=-INF, upper=INF, event_dim=1):
    region = Region(lower, upper, False, event_dim, frozenset(properties), words)
    return lambda constraint: region


def _interval(constraint):
    return Region(constraint.lower_bound, constraint.upper_bound)


def _independent(constraint):
    base = region_of(constraint.base_constraint)
    if base is None:
        return None
    return dataclasses.replace(base, event_dim=base.event_dim + constraint.reinterpreted_batch_ndims)


def _counts(constraint):
    total = _hashable(constraint.upper_bound)
    words = "one-hot vectors" if total == 1 else "counts with a fixed total"
    return Region(0, constraint.upper_bound, True, 1, frozenset({("sum", total)}), words)


_LOWER_CHOLESKY = _structured("lower Cholesky factors", "lower_cholesky", event_dim=2)

REGIONS = {
    type(constraints.real): lambda c: Region(),
    constraints.interval: _interval,
    constraints.greater_than: lambda c: Region(lower=c.lower_bound),
    constraints.less_than: lambda c: Region(upper=c.upper_bound),
    type(constraints.circular): lambda c: Region(-math.pi, math.pi, words="angles in [-π, π]"),
    type(constraints.boolean): lambda c: Region(0, 1, discrete=True, words="0 or 1"),
    constraints.integer_interval: lambda c: Region(c.lower_bound, c.upper_bound, discrete=True),
    constraints.integer_greater_than: lambda c: Region(c.lower_bound, discrete=True),
    constraints.independent: _independent,
    constraints.multinomial: _counts,
    type(constraints.simplex): _structured("the unit simplex", "simplex", "l1_ball", lower=0.0, upper=1.0),
    type(constraints.l1_ball): _structured("the unit L1 ball", "l1_ball", lower=-1.0, upper=1.0),
    type(constraints.sphere): _structured("the unit sphere", "sphere", lower=-1.0, upper=1.0),
    type(constraints.ordered_vector): _structured("increasing vectors", "ordered"),
    type(constraints.positive_ordered_vector): _structured(
        "increasing vectors of positive reals", "ordered", lower=0.0
    ),
    constraints.zero_sum: lambda c: Region(
        event_dim=c.event_dim, properties=frozenset({"zero_sum"}), words="arrays that sum to zero"
    ),
    type(constraints.lower_cholesky): _LOWER_CHOLESKY,
    type(constraints.corr_cholesky): _structured(
        "Cholesky factors of correlation matrices",
        "lower_cholesky",
        "unit_rows",
        lower=-1.0,
        upper=1.0,
        event_dim=2,
    ),
    type(constraints.positive_semidefinite): _structured(
        "positive semidefinite matrices", "positive_definite", event_dim=2
    ),
    type(constraints.positive_definite): _structured("positive definite matrices", "positive_definite", event_dim=2),
    type(constraints.corr_matrix): _structured(
        "correlation matrices",
        "positive_definite",
        "unit_diagonal",
        lower=-1.0,
        upper=1.0,
        event_dim=2,
    ),
    type(constraints.positive_definite_circulant_vector): _structured(
        "first rows of positive definite circulant matrices", "circulant"
    ),
}


def _hashable(bound):
    return bound if isinstance(bound, (int, float)) else id(bound)
