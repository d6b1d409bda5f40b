"""`infer`: fit a guide to a model in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vipl.objectives import elbo

if TYPE_CHECKING:
    from vipl.infer.posterior import Posterior


def infer(
    model,
    guide=None,
    *,
    key=None,
    objective=elbo,
    optimizer=None,
    num_steps=10_000,
    num_samples=1,
    params=None,
    data=None,
    batch_size=None,
    num_restarts=1,
    progress=True,
    callback=None,
    checkpoint=None,
    on_nan="raise",
    stop=None,
) -> Posterior:
    """Fit a guide to a model by stochastic gradient ascent on an objective.

    Args:
        model: a conditioned Program, or a function of `params` that returns one.
        guide: None for `guides.MeanField()`; a guide family; "auto", which tries several and keeps the best; a Program
            with `vipl.param`s; or a function of `params` (of `(params, batch)` with `data`) that returns a Program.
        key: a key, required. The same key gives the same bits.
        objective: an Expectation of `(model, guide)`, maximised.
        optimizer: an optax optimiser; default: Adam in coordinates in which the posterior is about standard normal, at
            a constant rate until the iterates are at rest, then at a low one, of which the iterates are averaged.
        num_steps: number of steps.
        num_samples: independent estimates averaged in each step: with a subsampled plate of a subsample each, with
            `data` all of the one batch.
        params: initial values: a pytree for functions of params, else `{address: unconstrained value}`.
        data: arrays with one row for each datum, or an iterator of batches, for models and guides that are functions
            of `(params, batch)`.
        batch_size: rows of the arrays that a step sees; each pass over the data has a new order.
        num_restarts: how many runs are made side by side, from different starting points; the best is kept.
        checkpoint: a path, at which the fit is saved every few seconds. The same call goes on where the file ends, also
            after the process was killed, and comes to the same bits as one that was never interrupted.
        progress: show a progress bar.
        callback: called now and then (about ten times a second) with an `InferState`; True ends the fit.
        on_nan: at an objective that is not finite, "raise" an error that names the site and the step, "stop" there
            with what was learned, or "skip" the step, at which the history is NaN.
        stop: function of the objective history so far; True ends the fit.

    Returns:
        A `Posterior`. Ctrl-C returns what was learned so far, with status "interrupted"; an objective that ended far
        below its start gives the status "diverged: …".

    Raises:
        RandomnessError: no key.
        AddressError: the guide's sites are not the model's latent sites; the model observes nothing.
        ParameterError: `params` does not fit, or an option is not offered.
        NonFiniteError: with `on_nan="raise"`.

    Example:
        >>> import jax, jax.numpy as jnp, vipl, vipl.distributions as dist
        >>> @vipl.program
        ... def model(y):
        ...     mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        ...     with vipl.plate("data", y.shape[0]):
        ...         vipl.sample("y", dist.Normal(mu, 1.0), obs=y)
        >>> posterior = vipl.infer(model(jnp.array([1.0, 2.0])), key=jax.random.key(0), num_steps=2000, progress=False)
        >>> posterior.status
        'finished'
    """
    arguments = dict(locals())
    from vipl.infer.training.fit import fit  # on first use: who writes a training loop does without

    return fit(**arguments)
