"""Checks of observed values, made where they are handed over, before anything runs.

What can be known at trace time is checked then: shapes always, values where they are concrete.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import constraints

from vipl._core.compat import is_tracer
from vipl._core.errors import ShapeError, SupportError
from vipl.distributions.support import describe_constraint, first_violation, kind_of


def check_observation(value, distribution, address, source, plates=()):
    """Return an observation as an array, or say what is wrong with it.

    Args:
        value: the observed value.
        distribution: the site's distribution, expanded by its plates.
        address: the site's address.
        source: the user's line.
        plates: the open plates.

    Raises:
        ShapeError: its shape is not exactly the distribution's.
        SupportError: it is NaN, or concretely outside of the support.
    """
    where = f"site {address!r}, {source}"
    array = as_array(value, address, where)
    check_shape(array, tuple(distribution.shape()), address, where, plates)
    if jnp.iscomplexobj(array) and distribution.support is not constraints.complex:
        raise SupportError(
            f"the observed value of {address!r} is complex, and {kind_of(distribution)} is not.",
            where=where,
            fix="value.real, or abs(value)",
        )
    known = known_value(value, array)
    if known is not None:
        check_finite(known, address, where)
        check_support(known, distribution, address, where)
    return array


def known_value(value, array):
    """Return a user's value as a NumPy array of the type of `array`, or None where a part is traced or on another host.

    While a program is staged, `array` itself is traced even if the value is not.
    """
    leaves = jax.tree.leaves(value)
    if any(is_tracer(leaf) or not getattr(leaf, "is_fully_addressable", True) for leaf in leaves):
        return None
    return np.asarray(value).astype(array.dtype)


def as_array(value, address, where):
    """Return a value as an array of numbers."""
    try:
        return value if is_tracer(value) else jnp.asarray(value)
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"the value of {address!r} is not an array of numbers: {type(value).__name__}.",
            where=where,
            fix="numbers in one array, such as jnp.asarray(value); categories as integers 0, 1, …",
        ) from error


def check_shape(value, shape, address, where, plates=(), fix=None):
    """Refuse a value whose shape is not exactly the site's, and say what the user probably forgot."""
    if tuple(value.shape) == shape:
        return
    raise ShapeError(
        f"the value of {address!r} has shape {tuple(value.shape)}, and the site has shape {shape}.",
        where=where,
        fix=fix or _shape_advice(tuple(value.shape), shape, plates),
    )


def _shape_advice(got, shape, plates) -> str:
    subsampled = [p for p in plates if p.length != p.size and p.size in got]
    if subsampled:
        return f"index the data by the plate's indices: `with vipl.plate({subsampled[0].name!r}, …) as i:` and data[i]"
    if [n for n in got if n != 1] == [n for n in shape if n != 1]:
        return f"the same numbers in another shape: value.reshape({shape}); as it is it would broadcast"
    if len(got) > len(shape) and got[len(got) - len(shape) :] == shape:
        return (
            f'independent data need a plate: `with vipl.plate("data", {got[0]}):` around the site; '
            "one vector-valued datum needs dist.….to_event(1)"
        )
    if plates:
        if len(shape) > len(got):
            return "the site has an axis more than the data; a column among its parameters would do that: mean[:, 0]"
        sizes = ", ".join(f"{p.name!r} has size {p.length} at dim {p.dim}" for p in plates)
        return f"make the plate and the data agree: {sizes}"
    return "give the distribution the shape of the data, or the data that of the distribution"


def check_finite(value, address, where):
    """Refuse NaN."""
    if value.dtype.kind in "fc" and np.isnan(value).any():
        index = tuple(int(i) for i in np.argwhere(np.isnan(value))[0])
        raise SupportError(
            f"the observed value of {address!r} is NaN{_at(index)}.",
            where=where,
            fix="drop or impute missing data; a missing value can be a latent site of its own",
        )


def check_support(value, distribution, address, where):
    """Refuse concrete values outside of a support that is known concretely."""
    try:
        support = distribution.support
    except NotImplementedError:
        return
    check_within(value, support, kind_of(distribution), address, where)


def check_within(value, support, kind, address, where):
    """Refuse concrete values outside of a support, if its bounds are known; `kind` names the distribution."""
    if any(is_tracer(leaf) for leaf in jax.tree.leaves(support)):
        return
    index = first_violation(support, value)
    if index is None:
        return
    bad = np.asarray(value)[index]
    raise SupportError(
        f"the observed value of {address!r} is outside of the support: {bad}{_at(index)}, where "
        f"{kind} has {describe_constraint(support)}.",
        where=where,
        fix="correct the data, or choose a distribution whose support contains them",
    )


def _at(index) -> str:
    return f" at index {index}" if index else ""
