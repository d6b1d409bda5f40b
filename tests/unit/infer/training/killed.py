"""Fits with checkpoints, in a process that is killed; started again it goes on, and in the end compares bits.

A line is printed when the steps of a fit begin: the step, and the name of the fit.
"""

import hashlib
import json
import pathlib
import sys
import time

import jax
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl.infer.training import loop, saved

Y = np.linspace(-1.0, 3.0, 24).astype(np.float32)


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    sigma = vipl.sample("sigma", dist.HalfNormal(2.0))
    with vipl.plate("data", len(Y), subsample_size=len(y)):
        vipl.sample("y", dist.Normal(mu, sigma), obs=y)


def batches():
    random = np.random.default_rng(0)
    while True:
        yield random.choice(Y, 8)


def of_batch(params, batch):
    return model(batch)


FITS = {
    "adam, arrays": lambda **options: vipl.infer(
        of_batch, data=Y, batch_size=8, optimizer=optax.adam(0.01), num_steps=400, **options
    ),
    "vipl's own, restarts": lambda **options: vipl.infer(model(Y), num_restarts=3, num_steps=400, **options),
    "vipl's own, iterator": lambda **options: vipl.infer(of_batch, data=batches(), num_steps=60, **options),
}


def fit(name, path):
    seen = []

    def callback(state):
        if not seen:
            print(state.step, path.name, flush=True)
        seen.append(state.step)
        time.sleep(0.03)

    posterior = FITS[name](key=jax.random.key(0), progress=False, callback=callback, checkpoint=path)
    leaves = jax.tree.leaves((posterior.params, posterior.objective_history))
    contents = [posterior.status.encode(), *(np.asarray(leaf).tobytes() for leaf in leaves), path.read_bytes()]
    return [hashlib.sha256(part).hexdigest() for part in contents]


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    loop.CAPACITY, saved._SECONDS, saved._SHARE = 10, 0.0, float("inf")  # a file for every ten steps
    resumed = {name: fit(name, folder / name) for name in FITS}
    whole = {name: fit(name, folder / f"whole {name}") for name in FITS}
    print(json.dumps({"resumed": resumed, "whole": whole}))
