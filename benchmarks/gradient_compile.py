"""Tracing and compiling gradients of many choices.

    python benchmarks/gradient_compile.py [rounds]

200 choices of five estimators in a Python loop: seconds to trace the gradient; goal under 5. 200 chained normals in a
Python loop: trace, lower and compile, against the same by hand; goal a ratio of at most 1.3; the same in a scan, goal
under 1 second. 8 enumerated flips, independent and each dependent on the one before; goal under 0.5 seconds.
"""

from __future__ import annotations

import gc
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from gradient_problems import mixed

import vipl
import vipl.distributions as dist
from vipl.estimators import Enumerate

CHOICES, FLIPS = 200, 8


@vipl.expectation
def chain(loc):
    """A random walk in a Python loop."""
    x, total = loc, 0.0
    for i in range(CHOICES):
        x = vipl.sample(f"x{i}", dist.Normal(x, 1.0))
        total += x**2
    return total


def chain_by_hand(key, loc):
    """Draw all noise in one call."""
    noise = jax.random.normal(key, (CHOICES,))
    x, total = loc, 0.0
    for i in range(CHOICES):
        x = x + noise[i]
        total += x**2
    return total


@vipl.expectation
def chain_in_scan(loc):
    """The random walk in a scan."""

    def step(x, _):
        x = vipl.sample("x", dist.Normal(x, 1.0))
        return x, x**2

    return jnp.sum(jax.lax.scan(step, loc, None, length=CHOICES)[1])


@vipl.expectation
def independent_flips(theta):
    """A cost for each flip."""
    draws = [vipl.sample(f"x{i}", dist.Bernoulli(logits=theta), estimator=Enumerate()) for i in range(FLIPS)]
    return sum((i + 1) * jnp.exp(0.1 * x) for i, x in enumerate(draws))


@vipl.expectation
def dependent_flips(theta):
    """Each depends on the one before."""
    x, total = 0, 0.0
    for i in range(FLIPS):
        x = vipl.sample(f"x{i}", dist.Bernoulli(logits=theta * (1 + x)), estimator=Enumerate())
        total += (i + 1) * jnp.exp(0.1 * x)
    return total


PROGRAMS = {
    "chain": chain,
    "chain by hand": chain_by_hand,
    "chain in scan": chain_in_scan,
    "independent flips": independent_flips,
    "dependent flips": dependent_flips,
}


def seconds(function) -> tuple[float, float, float]:
    """Return the seconds to trace, lower and compile the value and gradient of a function, with nothing cached."""
    jax.clear_caches()
    gc.collect()
    times = [time.perf_counter()]
    traced = jax.jit(jax.value_and_grad(function, argnums=1)).trace(jax.random.key(0), 0.5)
    times.append(time.perf_counter())
    lowered = traced.lower()
    times.append(time.perf_counter())
    lowered.compile()
    times.append(time.perf_counter())
    return tuple(np.diff(times))


def main(rounds: int) -> None:
    """Print the medians over rounds, in which every program takes its turn."""
    found = {name: [] for name in PROGRAMS}
    traces = []
    for i in range(rounds + 1):  # the first warms up
        for name in list(PROGRAMS)[:: 1 if i % 2 else -1]:
            found[name].append(seconds(PROGRAMS[name]))
        jax.clear_caches()
        began = time.perf_counter()
        jax.make_jaxpr(jax.grad(mixed(CHOICES), argnums=1))(jax.random.key(0), 0.5)
        traces.append(time.perf_counter() - began)
    times = {name: np.array(rows[1:]) for name, rows in found.items()}
    print(f"{CHOICES} choices of five estimators: tracing the gradient {np.median(traces[1:]):.2f} s")
    for name, rows in times.items():
        trace, lower, compiling = np.median(rows, axis=0)
        total = np.median(rows.sum(axis=1))
        print(f"{name:18} trace {trace:.3f} s, lower {lower:.3f} s, compile {compiling:.3f} s, all {total:.3f} s")
    ratios = times["chain"].sum(axis=1) / times["chain by hand"].sum(axis=1)
    print(f"chain over chain by hand: {np.median(ratios):.2f} (quartiles {np.quantile(ratios, (0.25, 0.75)).round(2)})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 15)
