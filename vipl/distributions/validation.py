"""Calls into NumPyro with its own argument validation switched off.

NumPyro's validation is on by default. Inside `log_prob` it adds a mask whose derivative is not safe, and
equations that cost compile time. It is off if neither the class default nor the instance asks for it;
an instance made with `validate_args=True` carries that wish with it, and so do the parts it is made of.

    with validation_off():
        unvalidated(distribution).log_prob(value)
"""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager

from numpyro.distributions import Distribution
from numpyro.distributions.distribution import validation_enabled

# The switch is one global of NumPyro's: two threads that save and restore it in turn would leave it wrong.
_SWITCH = threading.RLock()


@contextmanager
def validation_off():
    """Switch NumPyro's default validation off within the context, one thread at a time."""
    with _SWITCH, validation_enabled(False):
        yield


def unvalidated(distribution: Distribution) -> Distribution:
    """Return a copy of the distribution, and of those in it, that validates nothing.

    The copy also keeps NumPyro from caching traced arrays (its lazy properties) on the caller's object.
    """
    clone = copy.copy(distribution)
    for name, part in vars(distribution).items():
        if isinstance(part, Distribution):
            vars(clone)[name] = unvalidated(part)
        elif isinstance(part, (list, tuple)) and any(isinstance(p, Distribution) for p in part):
            vars(clone)[name] = type(part)(unvalidated(p) for p in part)
    clone._validate_args = False
    return clone
