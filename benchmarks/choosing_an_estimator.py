"""Variance × time of the gradient estimators on five problems, as the table of docs/choosing-an-estimator.md.

    python benchmarks/choosing_an_estimator.py [problem …]

An entry is how many times longer the plain score function would have to run for the same standard error: its total
gradient variance times its time for one gradient, over the estimator's. `exact`: no variance. `–`: refused.
"""

from __future__ import annotations

import sys
import warnings

import jax
import jax.numpy as jnp
import timing
from estimator_problems import PROBLEMS, Problem

import vipl
from vipl import estimators

CANDIDATES = {
    "ScoreFunction()": estimators.ScoreFunction(),
    'ScoreFunction("leave_one_out"), 4 samples': estimators.ScoreFunction("leave_one_out"),
    "LeaveOneOut(2)": estimators.LeaveOneOut(2),
    "LeaveOneOut(4)": estimators.LeaveOneOut(4),
    "Systematic(4)": estimators.Systematic(4),
    "MeasureValued()": estimators.MeasureValued(),
    "StochasticDerivative()": estimators.StochasticDerivative(),
    "SumAndSample(2)": estimators.SumAndSample(2),
    "UnorderedSet(3)": estimators.UnorderedSet(3),
    "ARM()": estimators.ARM(),
    "DisARM()": estimators.DisARM(),
    "REBAR()": estimators.REBAR(),
    "Enumerate()": estimators.Enumerate(),
}
SAMPLES = {'ScoreFunction("leave_one_out"), 4 samples': 4}
NUM_GRADIENTS, ROUNDS = 1_000, 30


def measure(problem: Problem) -> dict[str, tuple[float, float] | None]:
    """Return `{estimator: (total variance, seconds)}`, None where it is refused."""
    found, steps = {}, {}
    keys = jax.random.split(jax.random.key(0), NUM_GRADIENTS)
    for name, estimator in CANDIDATES.items():
        objective = problem.objective.with_estimators({"z": estimator}).with_num_samples(SAMPLES.get(name, 1))
        gradient = jax.jit(jax.grad(objective, argnums=1))
        one = lambda key, g=gradient: g(key, problem.params)  # noqa: E731
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", vipl.BiasWarning)
                draws = jax.jit(lambda keys, one=one: jax.lax.map(one, keys, batch_size=50))(keys)
        except (vipl.VIPLError, vipl.BiasWarning):
            found[name] = None
            continue
        leaves = jax.tree.leaves(draws)
        size = sum(float(jnp.sum(leaf.mean(axis=0) ** 2)) for leaf in leaves)
        variance = sum(float(jnp.sum(jnp.var(leaf, axis=0))) for leaf in leaves)
        found[name] = (0.0 if variance < 1e-9 * size else variance, 0.0)
        steps[name] = lambda one=one: one(keys[0])
    times = timing.interleaved(steps, rounds=ROUNDS, calls=3)
    return {name: pair and (pair[0], float(jnp.median(times[name]))) for name, pair in found.items()}


def gains(measured: dict) -> dict[str, str]:
    """Return how much each estimator gains over the first, in words."""
    first, *_ = (pair[0] * pair[1] for pair in measured.values() if pair is not None)

    def say(pair):
        if pair is None:
            return "–"
        return "exact" if pair[0] == 0 else f"{first / (pair[0] * pair[1]):.3g}"

    return {name: say(pair) for name, pair in measured.items()}


def table(columns: dict[str, dict[str, str]]) -> str:
    """Return a Markdown table."""
    lines = ["| estimator | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name in CANDIDATES:
        lines.append(f"| `{name}` | " + " | ".join(column[name] for column in columns.values()) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    problems = [PROBLEMS[name]() for name in sys.argv[1:] or PROBLEMS]
    print(table({problem.title: gains(measure(problem)) for problem in problems}))
