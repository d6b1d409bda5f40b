"""Pareto-smoothed importance sampling: are importance weights fit for use, and their smoothed form.

With draws `x_s` from a guide q and log-weights `log p(x_s) - log q(x_s)`, the shape k of the weights' upper
tail says how many moments they have: fewer than two (k > 1/2) and averages over them converge slowly, none
(k > 1) and they do not converge. `k̂ <= threshold` is the usual condition for trusting a guide; the
smoothed weights then correct what error it has.

>>> import numpy as np
>>> x = 1.5 * np.random.default_rng(0).standard_normal(2000)     # guide Normal(0, 1.5), target Normal(0, 1)
>>> result = psis(-0.5 * x**2 + 0.5 * (x / 1.5) ** 2)
>>> result.status
'good'
"""

from __future__ import annotations

import dataclasses
import math

import jax
import numpy as np
from numpy.typing import ArrayLike

from vipl.diagnostics.smoothing import MIN_DRAWS, smooth


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class PSISResult:
    """What `psis` found.

    Attributes:
        log_weights: the smoothed log-weights, normalised so that their exponentials sum to 1;
            `(num_draws,)`, float64.
        khat: the estimated shape k̂ of the tail: 0.0 for equal weights, inf if it cannot be told, NaN if
            `status` is "invalid".
        threshold: the largest k̂ at which this many draws serve, `min(1 - 1/log10(num_draws), 0.7)`; never
            below its value at 21 draws.
        effective_sample_size: `1 / Σ w²` of the smoothed weights w, in draws.
        status: one of

            - "good": k̂ is at most the threshold;
            - "high_khat": k̂ is above it, so estimates from these weights are not to be trusted;
            - "too_few_draws": fewer than 21 draws, or than five weights above zero, that are not all equal;
              k̂ is inf;
            - "no_mass": every log-weight is -inf; k̂ is inf and the weights stay -inf;
            - "invalid": some log-weight is NaN or +inf; k̂ and the weights are NaN.

    Example:
        >>> import numpy as np
        >>> from vipl.diagnostics import psis
        >>> found = psis(np.zeros(1000))
        >>> found.status, round(float(found.effective_sample_size))
        ('good', 1000)
    """

    log_weights: np.ndarray
    khat: float
    threshold: float
    effective_sample_size: float
    status: str = dataclasses.field(metadata={"static": True})


def psis(log_weights: ArrayLike) -> PSISResult:
    """Smooth and normalise importance log-weights and estimate the shape of their tail.

    The `min(num_draws / 5, 3 √num_draws)` largest weights are replaced by the expected order statistics of
    a generalised Pareto law fitted to them, never above the largest raw weight. Runs on the host in NumPy,
    float64, `O(num_draws log num_draws)`.

    k̂ describes the tail of the weights that were drawn. It cannot see a mode the guide never visits, and a
    few equal weights among many zeros have a light tail: read `effective_sample_size` beside it.

    *Ties.* Equal weights, also up to rounding (0.01 nats), have no tail to fit; they give k̂ = 0 and are
    left as they are. If fewer than five weights lie strictly above the tail's cutoff u because many tie
    with it (discrete guides), nothing is smoothed and k̂ = log(max / u) / H_M, the shape at which M Pareto
    draws are expected to reach as far as these did.

    *Nearly exact guides* have many weights just below the largest of their bulk, and few beyond: no one Pareto law.
    If more than half of the largest weights are within 0.01 nats of u, only what lies above them is the tail. And if
    the weights are worth at least half the draws, but a Kolmogorov-Smirnov test rejects the law that was fitted, half
    of the tail is left out until it does not, down to 25 weights; if it always does, the first fit stands.

    Args:
        log_weights: unnormalised, in nats; `(num_draws,)`. Zeros (-inf) are welcome.

    Returns:
        A `PSISResult`. Bad weights are reported in its `status`, never raised.

    Raises:
        ValueError: `log_weights` is not a vector with at least one element.

    References:
        Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto smoothed importance sampling, JMLR 25(72). Bader, Yan,
        Zhang (2018), Automated threshold selection for extreme value analysis via ordered goodness-of-fit tests,
        Annals of Applied Statistics 12(1):310.

    >>> psis([0.0, 0.0, 0.0]).khat
    0.0
    """
    raw = np.asarray(log_weights, dtype=np.float64)
    if raw.ndim != 1 or raw.size == 0:
        raise ValueError(
            f"psis takes a vector of log-weights with at least one element, but got shape {raw.shape}; "
            "for draws in several axes write psis(log_weights.ravel())"
        )
    num_draws = raw.size
    threshold = min(1.0 - 1.0 / math.log10(max(num_draws, MIN_DRAWS)), 0.7)
    if np.isnan(raw).any() or raw.max() == np.inf:
        return PSISResult(np.full(num_draws, np.nan), math.nan, threshold, math.nan, "invalid")
    if raw.max() == -np.inf:
        return PSISResult(raw, math.inf, threshold, 0.0, "no_mass")

    smoothed, khat = smooth(raw - raw.max())
    smoothed = smoothed - np.log(np.exp(smoothed).sum())
    if khat == math.inf:
        status = "too_few_draws"
    else:
        status = "good" if khat <= threshold else "high_khat"
    return PSISResult(smoothed, khat, threshold, float(1.0 / np.exp(2.0 * smoothed).sum()), status)
