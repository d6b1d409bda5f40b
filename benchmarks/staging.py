"""A program of 500 sites in a Python loop: seconds to stage it and to trace its log density.

    python benchmarks/staging.py

Goal: less than 3 seconds for both.
"""

from __future__ import annotations

import time

import jax

import vipl
import vipl.distributions as dist

SITES = 500


@vipl.program
def chain(num_sites: int):
    """A random walk written as a loop."""
    x = 0.0
    for i in range(num_sites):
        x = vipl.sample(f"x{i}", dist.Normal(x, 1.0))


def main(num_sites: int) -> None:
    """Print times and sizes."""
    choices = {f"x{i}": 0.0 for i in range(num_sites)}
    program = chain(num_sites)
    began = time.perf_counter()
    program.stage()
    staged = time.perf_counter()
    jaxpr = jax.make_jaxpr(lambda choices: vipl.log_density(program, choices))(choices)
    traced = time.perf_counter()
    print(
        f"{num_sites} sites: staging {staged - began:.2f} s, tracing log_density {traced - staged:.2f} s, "
        f"{len(jaxpr.eqns) / num_sites:.1f} equations for each site"
    )


if __name__ == "__main__":
    for count in (1, SITES):
        main(count)
