"""A whole fit of 5,000 steps in a fresh process, compilation included; then another of the same shapes.

    python benchmarks/cold_fit.py [program] [--repetitions 5]

Against a hand-written scan of the same guide, optimiser and steps, and against NumPyro's SVI. Imports and
the start of JAX do not count; the data begin on the host and the results end there. Goals: at most 1.4 times
the twin, at most 1.05 times as long with the progress bar, and a second fit that compiles nothing.
"""

from __future__ import annotations

import importlib
import time

import jax
import numpy as np
import problems
import timing
import twins

import vipl

STEPS = 5000


def vipl_fit(name, seed, data, progress=False):
    """Fit with `vipl.infer` and its defaults."""
    model = problems.PROGRAMS[name](*data)
    posterior = vipl.infer(model, key=jax.random.key(seed), num_steps=STEPS, progress=progress)
    return posterior.params, posterior.objective_history


def twin_fit(name, seed, data):
    """Fit by hand."""
    params = twins.start(twins.SHAPES[name])
    return twins.fit(twins.ELBOS[name], params, jax.random.key(seed), data, STEPS)


def numpyro_fit(name, seed, data):
    """Fit with NumPyro."""
    import numpyro_fits

    return numpyro_fits.fit(name, jax.random.key(seed), data, STEPS)


FITS = {
    "vipl": vipl_fit,
    "bar": lambda *args: vipl_fit(*args, progress=True),
    "twin": twin_fit,
    "numpyro": numpyro_fit,
}

# Modules that a fit imports when it is first made.
IMPORTS = {
    "vipl": ("vipl.infer.training.fit", "scipy.optimize"),
    "numpyro": ("numpyro_fits",),
}
IMPORTS["bar"] = IMPORTS["vipl"]


def measure(name: str, who: str) -> dict:
    """Fit twice in this process: on the data, and on other data with another key."""
    data, fit = problems.data(name), FITS[who]
    for module in IMPORTS.get(who, ()):
        importlib.import_module(module)
    jax.devices()
    compilations, quantities = timing.Compilations(), {}
    for which, seed, columns in (("first", 0, data), ("second", 1, [*data[:-1], np.flip(data[-1])])):
        before, began, busy = compilations.count, time.perf_counter(), time.process_time()
        _, history = jax.tree.map(np.asarray, fit(name, seed, columns))
        quantities[which] = time.perf_counter() - began
        quantities[f"{which} cpu"] = time.process_time() - busy
        quantities[f"{which} compilations"] = compilations.count - before
        quantities[f"{which} objective"] = float(history[-500:].mean())
    return quantities


def main(names, repetitions: int) -> None:
    """Print a line for each program and contestant."""
    for name in names:
        contestants = [f"{name}:{who}" for who in FITS]
        results = timing.in_fresh_processes(__file__, contestants, repetitions=repetitions)
        twin = results[f"{name}:twin"]
        for contestant, found in results.items():
            first, second = np.median(found["first"]), np.median(found["second"])
            count, again = (int(np.max(found[f"{which} compilations"])) for which in ("first", "second"))
            wall, cpu = (np.median(found[q] / twin[q]) for q in ("first", "first cpu"))
            print(
                f"{contestant:28} first {first:.3f} s ({wall:.2f} × twin, {cpu:.2f} × in CPU time, "
                f"{count} compilations), second {second:.3f} s ({again} compilations); "
                f"objective {found['first objective'].mean():.2f}",
                flush=True,
            )
        bar, off = results[f"{name}:bar"], results[f"{name}:vipl"]
        both = [np.median(bar[which] / off[which]) for which in ("first", "first cpu")]
        print(f"{name:28} with the bar: {both[0]:.3f} × first, {both[1]:.3f} × in CPU time")


if __name__ == "__main__":
    timing.run_script(__doc__, measure, main, problems.PROGRAMS, 5)
