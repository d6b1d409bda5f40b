"""What `Posterior.check_against_nuts` does."""

from __future__ import annotations

import jax

from vipl._core.errors import ParameterError
from vipl._core.source import user_source
from vipl.guides.unconstrained import unconstrained
from vipl.infer.reference.comparison import NUTSComparison, compare
from vipl.infer.reference.nuts import TRIES, run_nuts


def check_against_nuts(posterior, weighed, key, **options) -> NUTSComparison:
    """Run NUTS on the model of a posterior, and compare."""
    for name, value in options.items():
        least = 0 if name == "num_warmup" else 4 if name == "num_samples" else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ParameterError(
                f"{name} is {value!r}; it must be an int, at least {least}.",
                where=user_source(),
                fix=f"{name}=1000" if name != "num_chains" else "num_chains=4",
            )
    target = unconstrained(posterior.model, "check_against_nuts")
    key_start, key_run = jax.random.split(key)
    starts = posterior.sample(key_start, TRIES * options["num_chains"])
    return compare(weighed, run_nuts(target, starts, key_run, **options))
