"""One fit: by default settings alone, and how far it is from what is known of the posterior."""

import dataclasses
import time

import jax
from catalogue import POSTERIORS
from reference import read

import vipl
from vipl.demo.comparison import MEANS_WITHIN, SPREADS_WITHIN, by_element, compare

DRAWS = 100_000  # with fewer, half of the error of an exact mean is that of reading it


@dataclasses.dataclass(frozen=True)
class Fit:
    """One posterior fitted with one guide.

    Attributes:
        error: the worst distance of a mean from the reference's, in the reference's standard deviations.
        exact_error: the same by exact means and standard deviations, where they are known, else None.
        spreads: the least and the largest ratio of standard deviations.
        khat: as vipl says it.
        status: as vipl says it.
        verdict: vipl's own.
        seconds: how long the fit took, compilation included.
    """

    error: float
    exact_error: float | None
    spreads: tuple[float, float]
    khat: float
    status: str
    verdict: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether every mean and every spread is the reference's, nearly."""
        low, high = SPREADS_WITHIN
        return self.error <= MEANS_WITHIN and low <= self.spreads[0] and self.spreads[1] <= high


def fit(name, guide, key) -> Fit:
    """Fit a posterior as who knows nothing of it."""
    key_fit, key_draws = jax.random.split(key)
    began = time.perf_counter()
    posterior = vipl.infer(POSTERIORS[name].model(), guide=guide, key=key_fit, progress=False)
    seconds = time.perf_counter() - began
    known = read(name)
    found = draws(posterior, key_draws, known["reference"])
    rows = [compare(found[parameter], row) for parameter, row in known["reference"].items()]
    exact = [compare(found[parameter], row) for parameter, row in known.get("exact", {}).items()]
    spreads = [row.spread for row in rows]
    return Fit(
        _worst(rows),
        _worst(exact) if exact else None,
        (min(spreads), max(spreads)),
        posterior.khat,
        posterior.status,
        posterior.verdict,
        seconds,
    )


def draws(posterior, key, parameters) -> dict:
    """Return draws of latent values, and of what is computed from them if some parameter is; `(DRAWS,)` each."""
    found = by_element(posterior.sample(key, DRAWS))
    if any(parameter not in found for parameter in parameters):
        found |= by_element(posterior.predict(key, num_samples=DRAWS))
    return found


def _worst(rows) -> float:
    return max(abs(row.difference) for row in rows)
