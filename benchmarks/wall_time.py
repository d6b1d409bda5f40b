"""Wall time of a fit of 5,000 steps, compilation included, against NumPyro's SVI: same guide, steps and optimiser.

    python benchmarks/wall_time.py [program] [--repetitions 4]

Fresh processes in turn; in each, a fit and then another of the same shapes. Imports and the start of JAX do not count;
the data begin on the host and the results end there. Goals: the first fit in at most 0.45 times NumPyro's time, both
with their progress bars in at most 0.25 times, the second fit in at most 0.1 times.
"""

from __future__ import annotations

import time

import jax
import numpy as np
import optax
import problems
import timing

import vipl

STEPS, RATE = 5000, 0.01
PROGRAMS = ("eight_schools", "logistic_regression", "hierarchy")
MEAN_FIELD, FULL_RANK = "mean field", "full rank"
GUIDES = {MEAN_FIELD: vipl.guides.MeanField, FULL_RANK: vipl.guides.FullRank}
MATRICES = ("eight_schools", "logistic_regression")  # of the four hundred groups a full covariance has 80,000 numbers
GOALS = {"first": 0.45, "second": 0.1, "with bars": 0.25}


def vipl_fit(program: str, guide: str, seed: int, data, bar: bool):
    """Fit with vipl; return params and the objective at each step."""
    posterior = vipl.infer(
        problems.PROGRAMS[program](*data),
        GUIDES[guide](),
        optimizer=optax.adam(RATE),
        key=jax.random.key(seed),
        num_steps=STEPS,
        progress=bar,
    )
    return posterior.params, posterior.objective_history


def numpyro_fit(program: str, guide: str, seed: int, data, bar: bool):
    """Fit with NumPyro; return the same."""
    import numpyro
    import numpyro_fits
    from numpyro.infer import SVI, Trace_ELBO, autoguide

    family = {MEAN_FIELD: autoguide.AutoNormal, FULL_RANK: autoguide.AutoMultivariateNormal}[guide]
    model = numpyro_fits.MODELS[program]
    svi = SVI(model, family(model), numpyro.optim.Adam(RATE), Trace_ELBO())
    result = svi.run(jax.random.key(seed), STEPS, *data, progress_bar=bar)
    return result.params, -result.losses


FITS = {"vipl": vipl_fit, "numpyro": numpyro_fit}


def measure(program: str, guide: str, who: str, bar: str) -> dict:
    """Fit on the data, and on other data with another key."""
    data, fit = problems.data(program), FITS[who]
    if who == "numpyro":
        import numpyro_fits  # noqa: F401
    jax.devices()
    quantities = {}
    for which, seed, columns in (("first", 0, data), ("second", 1, [*data[:-1], np.flip(data[-1])])):
        began = time.perf_counter()
        _, history = jax.tree.map(np.asarray, fit(program, guide, seed, columns, bar == "bar"))
        quantities[which] = time.perf_counter() - began
        quantities[f"{which} objective"] = float(history[-500:].mean())
    return quantities


def compare(program: str, guide: str, bar: str, repetitions: int) -> list[str]:
    """Print a line for each of the two, and one for each ratio; return the goals that are missed."""
    names = {who: f"{program}:{guide}:{who}:{bar}" for who in FITS}
    found = timing.in_fresh_processes(__file__, list(names.values()), repetitions=repetitions)
    found, missed = {who: found[name] for who, name in names.items()}, []
    label = f"{program}, {guide}" + ", bars on" * (bar == "bar")
    for who, quantities in found.items():
        first, second, objective = (np.median(quantities[q]) for q in ("first", "second", "first objective"))
        print(f"{label:44} {who:8} first {first:6.2f} s, second {second:6.2f} s, objective {objective:.1f}")
    for which in ("first",) if bar == "bar" else ("first", "second"):
        ratio = np.median(found["vipl"][which] / found["numpyro"][which])
        what = "with bars" if bar == "bar" else which
        print(f"{label:44} {what:9} {ratio:.3f} (goal {GOALS[what]})", flush=True)
        if ratio > GOALS[what]:
            missed.append(f"{label}, {what}: {ratio:.3f} > {GOALS[what]}")
    return missed


def main(programs, repetitions: int) -> None:
    """Print the times of all programs and guides, and which goals are missed."""
    missed = []
    for program in programs:
        for guide in GUIDES if program in MATRICES else (MEAN_FIELD,):
            missed += compare(program, guide, "off", repetitions)
        missed += compare(program, MEAN_FIELD, "bar", 1)
    print("all within goals" if not missed else "not within goals: " + "; ".join(missed))


if __name__ == "__main__":
    timing.run_script(__doc__, measure, main, PROGRAMS, 4)
