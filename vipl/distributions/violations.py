"""Finding the value or the parameter that lies where it must not, for messages that name it.

    first_violation(constraints.positive, [1.0, -2.0])               # (1,)
    parameter_violations(dist.Normal(0.0, -1.0))                     # [("scale", -1.0, positive)]

Only what is known is checked: traced arrays are passed over. The checks run in NumPy and compile nothing.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.distributions.distribution import Distribution

from vipl._core.compat import is_tracer
from vipl.distributions.checks import is_unrestricted, satisfies
from vipl.distributions.log_prob import evaluate
from vipl.distributions.validation import unvalidated, validation_off


def first_violation(distribution_or_constraint, value) -> tuple[int, ...] | None:
    """Return the index of the first element of `value` outside a support, or None.

    Args:
        distribution_or_constraint: a distribution, or a constraint.
        value: array; a traced one is taken to be inside.

    Returns:
        An index into `value`: of an entry where each entry is judged alone, else of an event; None if all
        lie inside.
    """
    target = distribution_or_constraint
    if is_traced(value) or is_traced(target):
        return None
    if isinstance(target, Distribution):
        if _needs_evaluation(target):
            with validation_off():
                inside = evaluate(unvalidated(target), jnp.asarray(value), True)[1]
            return _first_false(inside)
        target = target.support
    while isinstance(target, constraints.independent):
        target = target.base_constraint
    if is_unrestricted(target):
        # NaN is outside the reals; infinities are left to the caller, whose data they are
        return _first_false(~np.isnan(np.asarray(value, float)))
    return _first_false(satisfies(target, value, np))


def parameter_violations(distribution) -> list[tuple[str, object, object]]:
    """Return the known parameters that violate their constraints.

    Args:
        distribution: a distribution, made with or without NumPyro's validation.

    Returns:
        A list of `(name, value, constraint)`, with the parts of a compound distribution named by a path
        such as `base_dist.scale`; empty if nothing known is wrong.
    """
    found, seen = [], set()
    for path, part in _parts(distribution):
        for name, constraint in part.arg_constraints.items():
            value = vars(part).get(name)
            if value is None or constraints.is_dependent(constraint) or is_traced(value):
                continue
            if isinstance(value, Distribution) or (name, id(value)) in seen:
                continue
            seen.add((name, id(value)))
            if not _all_satisfied(constraint, value):
                found.append((path + name, value, constraint))
    return found


def empty_support(support) -> tuple | None:
    """Return the bounds of a support that is known to be empty, such as Uniform's with its bounds swapped, or None."""
    while isinstance(support, constraints.independent):
        support = support.base_constraint
    low, high = (getattr(support, name, None) for name in ("lower_bound", "upper_bound"))
    if low is None or high is None or is_traced((low, high)):
        return None
    wrong = np.asarray(low) > np.asarray(high) if support.is_discrete else np.asarray(low) >= np.asarray(high)
    if not wrong.any():
        return None
    index = np.argmax(wrong)
    return tuple(np.broadcast_to(bound, wrong.shape).ravel()[index].item() for bound in (low, high))


def _all_satisfied(constraint, value) -> bool:
    value = np.asarray(value)
    if not np.issubdtype(value.dtype, np.inexact) and not constraint.is_discrete:
        value = value.astype(np.float32)
    if np.issubdtype(value.dtype, np.floating) and np.any(np.isnan(value)):
        return False
    inside = satisfies(constraint, value, np)
    return inside is None or bool(np.all(inside))


def _parts(distribution, path=""):
    """Yield every distribution in a compound one, with the path to it."""
    while type(distribution) in (dist.ExpandedDistribution, dist.Independent):  # the user did not write these
        distribution = distribution.base_dist
    yield path, distribution
    for name in type(distribution).gather_pytree_data_fields():
        if name.startswith("_") and "distribution" not in name:
            continue  # a helper made of the same parameters, as Beta's own Dirichlet
        part = vars(distribution).get(name)
        if isinstance(part, Distribution):
            yield from _parts(part, f"{path}{name.lstrip('_')}.")
        elif isinstance(part, (list, tuple)):
            for i, item in enumerate(part):
                if isinstance(item, Distribution):
                    yield from _parts(item, f"{path}{name.lstrip('_')}[{i}].")


def _needs_evaluation(d) -> bool:
    """Return whether the true support is smaller than the declared one (a base with limits, pushed forward)."""
    while isinstance(d, (dist.Independent, dist.ExpandedDistribution)):
        d = d.base_dist
    if isinstance(d, SUPPORT_IN_PARTS):
        return True
    if not isinstance(d, dist.TransformedDistribution):
        return False
    pushed = type(d).support is dist.TransformedDistribution.support
    return pushed and (len(d.transforms) > 1 or not is_unrestricted(d.base_dist.support))


SUPPORT_IN_PARTS = (
    dist.Delta,
    dist.FoldedDistribution,
    dist.HurdleProbs,
    dist.IntervalCensoredDistribution,
    dist.MaskedDistribution,
    dist.MixtureGeneral,
)


def _first_false(inside) -> tuple[int, ...] | None:
    if inside is None or np.all(inside):
        return None
    inside = np.asarray(inside)
    return tuple(int(i) for i in np.unravel_index(np.argmin(inside), inside.shape))


def is_traced(tree) -> bool:
    """Return whether a part of it is not known: a tracer, or what stands for one."""
    known = [hasattr(leaf, "dtype") or isinstance(leaf, (int, float, complex)) for leaf in jax.tree.leaves(tree)]
    return not all(known) or any(is_tracer(leaf) for leaf in jax.tree.leaves(tree))
