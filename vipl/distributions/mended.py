"""Classes of NumPyro whose instances do not survive being taken apart and put together again, as a pytree is.

A staged program holds the arrays of a distribution and its structure; what is lost in between is lost to the site.
"""

from __future__ import annotations

import copy

import numpyro.distributions as dist
from numpyro.distributions import Distribution, constraints


class MendedLevy(dist.Levy):
    """NumPyro's `Levy` keeps its support in an attribute that is no part of the pytree."""

    @constraints.dependent_property(is_discrete=False)  # pyright: ignore[reportArgumentType]
    def support(self):
        """All above `loc`."""
        return constraints.greater_than(self.loc)  # pyright: ignore[reportArgumentType]


# By name, since one is private to NumPyro: the positive part of `HurdleNegativeBinomial2`, which names its mean, a
# property, among its parameters.
_MENDED = {"Levy": MendedLevy, "_HurdleNegativeBinomial2": dist.NegativeBinomial2}


def mended(distribution: Distribution) -> Distribution:
    """Return the distribution, with such classes replaced in it.

    Example:
        >>> import numpyro.distributions as dist
        >>> type(mended(dist.Levy(0.0, 1.0))).__name__
        'MendedLevy'
    """
    parts = {name: mended(part) for name, part in vars(distribution).items() if isinstance(part, Distribution)}
    changed = {name: part for name, part in parts.items() if part is not vars(distribution)[name]}
    if not changed and type(distribution).__name__ not in _MENDED:
        return distribution
    clone = copy.copy(distribution)
    vars(clone).update(changed)
    clone.__class__ = _MENDED.get(type(distribution).__name__, type(distribution))
    return clone
