"""One step, value and gradient of an objective, against a twin written by hand.

    python benchmarks/gradient_step.py [problem …]

Both in one process, interleaved: as single jitted calls, and as steps of one jitted scan, where dispatch does not
count. Goals: pathwise problems (logistic_regression, radon, normal_vae) a ratio of at most 1.02; discrete latents by
score function (switch_vae) and enumeration (class_vae) 1.05; three dependent enumerated flips (attend) 1.2.
"""

from __future__ import annotations

import functools
import sys

import gradient_problems
import gradient_twins
import jax
import step_time
import timing

# Steps in a scan, rounds, and calls in a measurement: about 10 seconds each.
EFFORT = {
    "logistic_regression": (200, 300, 10),
    "radon": (200, 300, 10),
    "normal_vae": (20, 40, 3),
    "switch_vae": (20, 40, 3),
    "class_vae": (3, 30, 2),
    "attend": (3, 30, 2),
}


def steps_of(name: str) -> dict:
    """Return both value-and-gradient functions of `(params, key, data)`."""
    by_hand = gradient_twins.ELBOS[name]
    return {
        "vipl": jax.value_and_grad(gradient_problems.elbo(name)),
        "twin": jax.value_and_grad(lambda params, key, data: by_hand(params, key, *data)),
    }


def main(name: str) -> None:
    """Print the comparison for one problem."""
    data, key = jax.device_put(gradient_problems.data(name)), jax.random.key(1)
    params, (count, rounds, calls) = gradient_problems.parameters(name), EFFORT[name]
    single, scans = {}, {}
    for label, step in steps_of(name).items():
        print(f"{name:20} {label}: {step_time.describe(step, params, key, data)}")
        single[label] = functools.partial(jax.jit(step), params, key, data)
        scans[label] = functools.partial(step_time.scanned(step, count), params, key, data)
    for what, times, scale in (
        ("call", timing.interleaved(single, rounds=rounds, calls=calls), 1),
        ("scan", timing.interleaved(scans, rounds=rounds), count),
    ):
        best = {label: times[label].min() / scale * 1e3 for label in times}
        print(
            f"{name:20} {what}: vipl {best['vipl']:.3f} ms, twin {best['twin']:.3f} ms (best); "
            f"ratio {timing.ratio(times, 'vipl', 'twin'):.3f} (median)"
        )


if __name__ == "__main__":
    for problem in sys.argv[1:] or gradient_problems.PROGRAMS:
        main(problem)
