"""Refusing weights that correct nothing, and warning of those that do so badly."""

from __future__ import annotations

import warnings

from vipl._core.errors import DensityError, VIPLWarning
from vipl._core.source import user_source

_WHY = {
    "invalid": "some log weights are NaN or +inf",
    "no_mass": "every weight is zero",
    "too_few_draws": "too few draws have weights above zero",
}


def check_usable(weighed, caller: str, otherwise: str) -> None:
    """Refuse or warn of importance weights.

    Args:
        weighed: the draws, a `Weighed`.
        caller: the method that needs them.
        otherwise: the code that does without.

    Raises:
        DensityError: they say nothing.
    """
    found = weighed.psis
    if weighed.of_subsamples or found.status in _WHY:
        why = "they are of subsamples of the data" if weighed.of_subsamples else _WHY[found.status]
        raise DensityError(
            f"{caller} needs importance weights, and {why}.",
            where=user_source(),
            fix=f"posterior.diagnose() says more; {otherwise} does without weights",
        )
    if found.khat > found.threshold:
        warnings.warn(
            f"{caller}: k̂ is {found.khat:.2f}, above {found.threshold:.2f}, so the weights do not correct what the "
            "guide has wrong; posterior.diagnose() says what to do",
            VIPLWarning,
            stacklevel=4,
        )
