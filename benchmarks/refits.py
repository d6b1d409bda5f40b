"""Three hundred fits of the same shapes in one process: no compilation after the first, and no leak.

    python benchmarks/refits.py [variant]

New data, keys, optimisers and guides each time. Goals: zero compilations after the first fit, and at most
0.05 MB of memory for each of the last 200.
"""

from __future__ import annotations

import gc
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import timing

import vipl
import vipl.distributions as dist

FITS, SETTLED, STEPS = 300, 100, 200


@vipl.program
def model(x, y):
    """Linear regression."""
    with vipl.plate("covariate", x.shape[1]):
        weights = vipl.sample("weights", dist.Normal(0.0, 1.0))
    noise = vipl.sample("noise", dist.HalfNormal(1.0))
    with vipl.plate("data", x.shape[0]):
        vipl.sample("y", dist.Normal(x @ weights, noise), obs=y)


def default_guide() -> dict:
    """The default."""
    return {}


def family() -> dict:
    """A family, made anew."""
    return {"guide": vipl.guides.MeanField(init_scale=0.2)}


def guide_program() -> dict:
    """A program with params, defined anew."""

    @vipl.program
    def guide():
        loc = vipl.param("loc", jnp.zeros(5))
        scale = vipl.param("scale", jnp.ones(5), constraint=dist.constraints.positive)
        with vipl.plate("covariate", 5):
            vipl.sample("weights", dist.Normal(loc, scale))
        log_noise = vipl.param("log_noise", 0.0)
        spread = vipl.param("spread", 0.1, constraint=dist.constraints.positive)
        vipl.sample("noise", dist.LogNormal(log_noise, spread))

    return {"guide": guide()}


def function_of_params() -> dict:
    """A function of params, a new lambda around a program defined anew."""

    @vipl.program
    def guide(params):
        with vipl.plate("covariate", 5):
            vipl.sample("weights", dist.Normal(params["loc"], jnp.exp(params["log_scale"])))
        vipl.sample("noise", dist.LogNormal(params["log_noise"], 0.1))

    params = {"loc": jnp.zeros(5), "log_scale": jnp.zeros(5), "log_noise": jnp.zeros(())}
    return {"guide": lambda params: guide(params), "params": params}


VARIANTS = {f.__name__: f for f in (default_guide, family, guide_program, function_of_params)}


def main(name: str) -> None:
    """Refit, and print compilations, memory and time."""
    compilations, random, memory, seconds = timing.Compilations(), np.random.default_rng(0), [], []
    for i in range(FITS):
        x = random.normal(size=(100, 5)).astype(np.float32)
        y = random.normal(size=100).astype(np.float32)
        began = time.perf_counter()
        posterior = vipl.infer(
            model(x, y),
            key=jax.random.key(i),
            optimizer=optax.adam(0.01),
            num_steps=STEPS,
            progress=False,
            **VARIANTS[name](),
        )
        seconds.append(time.perf_counter() - began)
        assert len(posterior.objective_history) == STEPS
        if i == 0:
            first = compilations.count
        if i % 10 == 9:
            gc.collect()
        memory.append(timing.resident_megabytes())
    growth = (memory[-1] - memory[SETTLED - 1]) / (FITS - SETTLED)
    print(
        f"{name:20} {first} compilations in the first fit, {compilations.count - first} in the others; "
        f"{growth:+.4f} MB for each fit; {np.median(seconds[1:]) * 1e3:.1f} ms for each fit"
    )


if __name__ == "__main__":
    for variant in sys.argv[1:] or VARIANTS:
        main(variant)
