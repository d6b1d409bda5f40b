"""A million local latent values, of which each step sees 1,024: what a step costs, and how much memory.

    python benchmarks/local_latents.py

A value for each datum, around a global one; mean field, minibatches by a subsampled plate, Adam. `vipl.infer` with
`optax.adam`, which moves all values at each step, against the same in one jitted loop by hand; and with
`vipl.lazy_rows`, which moves those of the minibatch alone. Times are of whole fits without compilation, in turn in one
process; memory is the most that a fresh process has had, beyond what it had before. Goals: at most 1.1 times the loop
by hand; lazily at most 0.15 times, for a million.
"""

from __future__ import annotations

import functools
import json
import math
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import timing

import vipl
import vipl.distributions as dist
from vipl.distributions.subsample import subsample_indices

BATCH, RATE, START = 1024, 0.01, math.log(math.expm1(0.1))
SIZES = (10_000, 100_000, 1_000_000)
DENSE_STEPS = {10_000: 16_000, 100_000: 4000, 1_000_000: 600}
LAZY_STEPS = 5000
ROUNDS, REPETITIONS = 7, 2
DENSE_GOAL, LAZY_GOAL = 1.1, 0.15


@vipl.program
def model(y):
    """A value for each datum."""
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("datum", y.shape[0], subsample_size=BATCH) as index:
        z = vipl.sample("z", dist.Normal(mu, 1.0))
        vipl.sample("y", dist.Normal(z, 1.0), obs=y[index])


def make_data(size: int):
    """Return that many data."""
    return jnp.asarray(np.random.default_rng(0).normal(2.0, 1.4, size), jnp.float32)


def vipl_fit(y, num_steps: int, optimizer):
    """Fit with `vipl.infer`."""
    posterior = vipl.infer(model(y), optimizer=optimizer, key=jax.random.key(0), num_steps=num_steps, progress=False)
    return posterior.params, posterior.objective_history


def normal(x, loc, scale):
    """Return the log density of a normal."""
    return -0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale) - 0.5 * math.log(2 * math.pi)


def elbo(params, key, y):
    """Return an estimate of the ELBO, by hand."""
    key_index, key_noise = jax.random.split(key)
    index = subsample_indices(key_index, len(y), BATCH)
    noise = jax.random.normal(key_noise, (1 + BATCH,))
    scale, local_scale = jax.nn.softplus(params["mu scale"]), jax.nn.softplus(params["z scale"][index])
    mu, z = params["mu"] + scale * noise[0], params["z"][index] + local_scale * noise[1:]
    local = normal(z, mu, 1.0) + normal(y[index], z, 1.0) - normal(z, params["z"][index], local_scale)
    return normal(mu, 0.0, 5.0) - normal(mu, params["mu"], scale) + len(y) / BATCH * jnp.sum(local)


ADAM = optax.adam(RATE)


@functools.partial(jax.jit, static_argnames="num_steps", donate_argnames="params")
def run_by_hand(params, y, key, *, num_steps: int):
    """Make all steps in one loop."""

    def step(number, carry):
        params, state, history = carry
        loss, gradient = jax.value_and_grad(lambda p: -elbo(p, jax.random.fold_in(key, number), y))(params)
        updates, state = ADAM.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, history.at[number].set(-loss)

    params, _, history = jax.lax.fori_loop(0, num_steps, step, (params, ADAM.init(params), jnp.zeros(num_steps)))
    return params, history


def fit_by_hand(y, num_steps: int):
    """Fit by hand."""
    start = {"mu": jnp.zeros(()), "mu scale": jnp.full((), START)}
    start |= {"z": jnp.zeros(y.shape), "z scale": jnp.full(y.shape, START)}
    params, history = run_by_hand(start, y, jax.random.key(0), num_steps=num_steps)
    return params, np.asarray(history)


FITS = {
    "by hand": fit_by_hand,
    "vipl": lambda y, num_steps: vipl_fit(y, num_steps, ADAM),
    "vipl, lazy": lambda y, num_steps: vipl_fit(y, num_steps, vipl.lazy_rows(ADAM)),
}


def step_times(size: int) -> dict:
    """Return seconds for each step of each fit, one for each round."""
    y, steps = make_data(size), {who: DENSE_STEPS[size] for who in FITS} | {"vipl, lazy": LAZY_STEPS}
    fits = {who: functools.partial(fit, y, steps[who]) for who, fit in FITS.items()}
    ends = {who: float(np.mean(fit()[1][-200:])) / size for who, fit in fits.items()}
    print(f"{size:>9,}  objective for each datum at the end: " + ", ".join(f"{w} {e:.3f}" for w, e in ends.items()))
    times = timing.interleaved(fits, rounds=ROUNDS)
    return {who: seconds / steps[who] for who, seconds in times.items()}


def peak_megabytes(who: str, size: int) -> float:
    """Return the most memory that a short fit in this process takes, beyond that before it."""
    FITS[who](make_data(2 * BATCH), 10)  # XLA's own
    y = jax.block_until_ready(make_data(size))
    before = timing.resident_megabytes()
    jax.block_until_ready(FITS[who](y, 20))
    return timing.peak_megabytes() - before


def main() -> bool:
    """Print the table; tell whether all goals are met."""
    missed, lazy = [], {}
    print(f"{'latents':>9}  {'':10} {'step':>10}  {'ratio':>6}  {'goal':>5}  {'memory':>8}")
    for size in SIZES:
        times = step_times(size)
        names = [f"{who}:{size}" for who in FITS]
        memory = timing.in_fresh_processes(__file__, names, repetitions=REPETITIONS)
        for who in FITS:
            ratio, step = timing.ratio(times, who, "by hand"), np.median(times[who]) * 1e6
            goal = {"vipl": DENSE_GOAL, "vipl, lazy": LAZY_GOAL if size == max(SIZES) else None}.get(who)
            peak = np.median(memory[f"{who}:{size}"]["peak"])
            print(f"{size:>9,}  {who:10} {step:7.1f} µs  {ratio:6.3f}  {goal or '':>5}  {peak:5.0f} MB", flush=True)
            if goal is not None and ratio > goal:
                missed.append(f"{who} of {size:,}: {ratio:.3f} > {goal}")
            if who == "vipl, lazy":
                lazy[size] = step
    print(f"a lazy step of {SIZES[-1]:,} over one of {SIZES[0]:,}: {lazy[SIZES[-1]] / lazy[SIZES[0]]:.2f}")
    print("all within goals" if not missed else "not within goals: " + "; ".join(missed))
    return not missed


if __name__ == "__main__":
    if len(sys.argv) == 2:
        contestant, _, number = sys.argv[1].partition(":")
        print(json.dumps({"peak": peak_megabytes(contestant, int(number))}))
    else:
        main()
