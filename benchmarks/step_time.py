"""One step: value and gradient of the mean-field ELBO, against a twin written by hand.

    python benchmarks/step_time.py [program]

Both in one process, interleaved: as single jitted calls, and as steps of one jitted scan, where dispatch does
not count. Prints also what each gives the compiler, and what that takes. Goal: a ratio of at most 1.05.
"""

from __future__ import annotations

import functools
import sys
import time

import jax
import jax.numpy as jnp
import problems
import timing
import twins

import vipl

STEPS = 200


def steps_of(name: str) -> dict:
    """Return both value-and-gradient functions of `(params, key, data)`, with their initial params."""
    model, data = problems.PROGRAMS[name], problems.data(name)
    posterior = vipl.infer(model(*data), key=jax.random.key(0), num_steps=0, progress=False)
    guide = posterior.guide

    def elbo(params, key, data):
        return vipl.objectives.elbo(key, model(*data), vipl.with_params(guide, params))

    twin = twins.ELBOS[name]
    return {
        "vipl": (jax.value_and_grad(elbo), posterior.params),
        "twin": (
            jax.value_and_grad(lambda params, key, data: twin(params, key, *data)),
            twins.start(twins.SHAPES[name]),
        ),
    }


def scanned(step, count: int = STEPS):
    """Return a function that takes `count` steps with the gradient added to the params."""

    @jax.jit
    def run(params, key, data):
        def body(params, i):
            value, gradient = step(params, jax.random.fold_in(key, i), data)
            return jax.tree.map(lambda p, g: p + 1e-6 * g, params, gradient), value

        return jax.lax.scan(body, params, jnp.arange(count))

    return run


def equations(jaxpr) -> int:
    """Count the equations of a jaxpr that its results need, those inside of calls included."""
    jaxpr, _ = jax.interpreters.partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    inner = [b for eqn in jaxpr.eqns for b in jax.extend.core.jaxprs_in_params(eqn.params)]
    return len(jaxpr.eqns) + sum(equations(getattr(b, "jaxpr", b)) for b in inner)


def describe(step, *args) -> str:
    """Return equations, compiled instructions, and seconds to trace, lower and compile."""
    times = [time.perf_counter()]
    traced = jax.jit(step).trace(*args)
    times.append(time.perf_counter())
    lowered = traced.lower()
    times.append(time.perf_counter())
    compiled = lowered.compile()
    times.append(time.perf_counter())
    seconds = [f"{after - before:.3f} s" for before, after in zip(times, times[1:], strict=False)]
    instructions = sum(" = " in line for line in compiled.as_text().splitlines())
    count = equations(traced.jaxpr.jaxpr)
    return f"{count} equations, {instructions} instructions; trace, lower, compile: {', '.join(seconds)}"


def main(name: str) -> None:
    """Print the comparison for one program."""
    data, key = jax.device_put(problems.data(name)), jax.random.key(1)
    steps = steps_of(name)
    for label, (step, params) in steps.items():
        print(f"{name:20} {label}: {describe(step, params, key, data)}")
    calls, scans = {}, {}
    for label, (step, params) in steps.items():
        calls[label] = functools.partial(jax.jit(step), params, key, data)
        scans[label] = functools.partial(scanned(step), params, key, data)
    for what, times, scale in (
        ("call", timing.interleaved(calls, rounds=2000, calls=10), 1),
        ("scan", timing.interleaved(scans, rounds=500), STEPS),
    ):
        best = {label: times[label].min() / scale * 1e6 for label in times}
        print(
            f"{name:20} {what}: vipl {best['vipl']:.2f} µs, twin {best['twin']:.2f} µs (best); "
            f"ratio {timing.ratio(times, 'vipl', 'twin'):.3f} (median)"
        )


if __name__ == "__main__":
    for program in sys.argv[1:] or ["logistic_regression"]:
        main(program)
