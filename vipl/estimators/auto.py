"""`Auto`: the choice of an estimator for those who do not want to choose."""

from __future__ import annotations

from vipl.estimators.base import Estimator
from vipl.estimators.reparam import Reparam


class Auto(Estimator):
    """Pick an estimator for each site. At present: `Reparam`, or a named refusal.

    Example:
        >>> from vipl import estimators
        >>> estimators.Auto()
        Auto()
    """

    def resolve(self, statement) -> Estimator:
        """Return the estimator for a site."""
        del statement
        return Reparam()
