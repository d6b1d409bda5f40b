"""Numbers without a pattern, the same each time: where params start that must not all be equal."""

from __future__ import annotations

import math

import numpy as np


def generic(shape, dtype) -> np.ndarray:
    """Return fixed numbers that are spread as a standard normal distribution, in no order to speak of.

    Example:
        >>> import numpy as np
        >>> from vipl.guides.generic import generic
        >>> bool(np.all(generic((2, 3), np.float32) == generic((2, 3), np.float32)))
        True
    """
    numbers = np.random.default_rng(0).standard_normal(math.prod(shape))
    return numbers.reshape(shape).astype(dtype)
