"""The maximum mean discrepancy of two sets of draws."""

from __future__ import annotations

import jax.numpy as jnp

from vipl._core.errors import ShapeError
from vipl._core.source import user_source
from vipl.objectives.options import check_scalar


def squared_mmd(x, y, bandwidth):
    """Return an unbiased estimate of the squared maximum mean discrepancy of two laws, with a Gaussian kernel.

    It is E k(x, x') + E k(y, y') − 2 E k(x, y), for independent draws and k(x, y) = exp(−‖x − y‖²/2h²): 0 if the laws
    are the same, else positive; an estimate may be negative. A law may be an aggregate of several, the mean of the
    posteriors of all data, say: each row then holds one draw of each of them, and only draws in different rows, which
    are independent, make a pair. Inside an objective, where x and y are choices, it is differentiated like any other
    cost. Cost: that of all pairs.

    Args:
        x: `(num_draws, size, *event)`, at least 2 draws of `size` parts each; size 1 for a simple law.
        y: likewise, of the same event.
        bandwidth: h, a positive scalar in the units of x; a usual choice is the root of the event's size.

    Returns:
        A scalar.

    Raises:
        ShapeError: x or y is not of such a shape.
        ParameterError: the bandwidth is not positive.

    Example:
        >>> import jax.numpy as jnp
        >>> from vipl import objectives
        >>> x, y = jnp.array([[0.0], [1.0]]), jnp.array([[0.0], [1.0]])
        >>> round(float(objectives.squared_mmd(x, y, 1.0)), 4)  # k(0, 1) − 1: no pair of x is equal, two with y are
        -0.3935

    Source: Gretton et al. 2012, JMLR 13(25), Lemma 6, for laws that are no aggregates.
    """
    check_scalar(bandwidth, "squared_mmd", "bandwidth", "bandwidth=1.0", positive=True)
    x, y = jnp.asarray(x), jnp.asarray(y)
    if x.ndim < 2 or y.ndim < 2 or x.shape[2:] != y.shape[2:] or min(len(x), len(y)) < 2:
        raise ShapeError(
            f"squared_mmd got shapes {x.shape} and {y.shape}; each must be (num_draws, size, *event), with at least 2 "
            "draws, and the events the same.",
            where=f"objectives.squared_mmd, {user_source()}",
            fix="x[:, None] for draws (num_draws, *event) of a simple law",
        )
    between = jnp.mean(_kernel(x, y, bandwidth))
    return _mean_over_rows(_kernel(x, x, bandwidth)) + _mean_over_rows(_kernel(y, y, bandwidth)) - 2 * between


def _kernel(x, y, bandwidth):
    """Return the kernel of all pairs, `(num_draws, num_draws)`: the mean over the parts of both."""
    x, y = x.reshape(*x.shape[:2], -1), y.reshape(*y.shape[:2], -1)
    gaps = x[:, None, :, None] - y[None, :, None]
    return jnp.mean(jnp.exp(-0.5 * jnp.sum(gaps**2, axis=-1) / bandwidth**2), axis=(2, 3))


def _mean_over_rows(kernel):
    """Return the mean of a kernel over pairs of different rows."""
    count = len(kernel)
    return jnp.sum(kernel * (1 - jnp.eye(count, dtype=kernel.dtype))) / (count * (count - 1))
