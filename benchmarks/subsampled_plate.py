"""A plate of a million data, of which each step sees 1,024: what drawing the indices costs.

    python benchmarks/subsampled_plate.py

Linear regression on 20 covariates. One step is value and gradient of the mean-field ELBO. Against the same
program handed its indices, and against NumPyro's plate. Goal: at most 1.15 times the step with given indices.
"""

from __future__ import annotations

import functools

import jax
import numpyro
import step_time
import timing
from numpyro.infer import SVI, Trace_ELBO, autoguide

import vipl
import vipl.distributions as dist

SIZE, SUBSAMPLE, COVARIATES, BATCHES = 1_000_000, 1024, 20, 64


@vipl.program
def regression(x, y):
    """Linear regression that sees a part of the data."""
    with vipl.plate("covariate", COVARIATES):
        weights = vipl.sample("weights", dist.Normal(0.0, 1.0))
    noise = vipl.sample("noise", dist.HalfNormal(1.0))
    with vipl.plate("data", SIZE, subsample_size=SUBSAMPLE) as index:
        vipl.sample("y", dist.Normal(x[index] @ weights, noise), obs=y[index])


def numpyro_regression(x, y):
    """The same in NumPyro."""
    with numpyro.plate("covariate", COVARIATES):
        weights = numpyro.sample("weights", dist.Normal(0.0, 1.0))
    noise = numpyro.sample("noise", dist.HalfNormal(1.0))
    with numpyro.plate("data", SIZE, subsample_size=SUBSAMPLE) as index:
        numpyro.sample("y", dist.Normal(x[index] @ weights, noise), obs=y[index])


def make_data(key):
    """Return covariates and responses."""
    key_x, key_weights, key_noise = jax.random.split(key, 3)
    x = jax.random.normal(key_x, (SIZE, COVARIATES))
    y = x @ jax.random.normal(key_weights, (COVARIATES,)) + 0.5 * jax.random.normal(key_noise, (SIZE,))
    return x, y


def vipl_step(data, *, given: bool):
    """Return `step(params, key, data)`, and the initial params."""
    posterior = vipl.infer(regression(*data), key=jax.random.key(0), num_steps=0, progress=False)
    guide = posterior.guide
    batches = jax.random.randint(jax.random.key(2), (BATCHES, SUBSAMPLE), 0, SIZE)

    def elbo(params, key, data):
        x, y, batches = data
        model = regression(x, y)
        if given:  # other indices in every step, or the compiler would gather once for all of them
            model = model | {"data": batches[jax.random.key_data(key)[-1] % BATCHES]}
        return vipl.objectives.elbo(key, model, vipl.with_params(guide, params))

    return jax.value_and_grad(elbo), posterior.params, (*data, batches)


def numpyro_step(data):
    """Return NumPyro's step, its initial params and data."""
    guide = autoguide.AutoNormal(numpyro_regression)
    svi = SVI(numpyro_regression, guide, numpyro.optim.Adam(0.01), Trace_ELBO())
    state = svi.init(jax.random.key(0), *data)

    def loss(params, key, data):
        return Trace_ELBO().loss(key, svi.constrain_fn(params), numpyro_regression, guide, *data)

    return jax.value_and_grad(loss), svi.optim.get_params(state.optim_state), data


def main() -> None:
    """Print step times and ratios."""
    data = make_data(jax.random.key(1))
    contestants = {
        "drawn": vipl_step(data, given=False),
        "given": vipl_step(data, given=True),
        "numpyro": numpyro_step(data),
    }
    key, calls, scans = jax.random.key(3), {}, {}
    for label, (step, params, columns) in contestants.items():
        calls[label] = functools.partial(jax.jit(step), params, key, columns)
        scans[label] = functools.partial(step_time.scanned(step, 20), params, key, columns)
    for what, times, scale in (
        ("call", timing.interleaved(calls, rounds=200, calls=5), 1),
        ("scan", timing.interleaved(scans, rounds=60), 20),
    ):
        best = ", ".join(f"{label} {times[label].min() / scale * 1e6:.1f} µs" for label in times)
        ratios = [timing.ratio(times, label, "given") for label in ("drawn", "numpyro")]
        print(f"{what}: {best} (best); over given: drawn {ratios[0]:.3f}, numpyro {ratios[1]:.2f} (medians)")


if __name__ == "__main__":
    main()
