"""Minibatches: what a batch stands for, and data that are wrong in one of them."""

import jax
import numpy as np
import optax

import vipl
import vipl.distributions as dist

from .registry import Equals, Raises, Warns, fault

Y = np.linspace(-1.0, 1.0, 20).astype(np.float32)


@vipl.program
def normal_guide(params):
    vipl.sample("mu", dist.Normal(params["loc"], 1.0))


def fit(model, guide=normal_guide, data=Y, params=None):
    return vipl.infer(
        lambda params, batch: model(batch),
        lambda params, batch: guide(params) if guide is normal_guide else guide(params, batch),
        key=jax.random.key(0),
        data=data,
        batch_size=5,
        params={"loc": 0.0} if params is None else params,
        optimizer=optax.sgd(0.0),
        num_steps=4,
        progress=False,
    )


@fault(14, "minibatch without scaling", Warns(vipl.VIPLWarning, "a batch of 5 of 20", "subsample_size=5", value=4))
def unscaled():
    @vipl.program
    def model(batch):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("datum", len(batch)):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=batch)  # <- here

    return len(fit(model).objective_history)


@vipl.program
def scaled(batch):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("datum", len(Y), subsample_size=len(batch)):
        vipl.sample("y", dist.Normal(0.0 * mu, 1.0), obs=batch)


@fault(14, "minibatch in a plate of all data counts for all", Equals(-0.5 * sum(Y**2) - 20 * 0.9189385))
def counted_for_all():
    """Prior and guide cancel; the mean over one pass is that of all data."""
    return np.mean(fit(scaled).objective_history)


@fault(14, "minibatch whose latents are each of one datum counts prior and data alike", Equals(4))
def local():
    @vipl.program
    def model(batch):
        with vipl.plate("datum", len(batch)):
            z = vipl.sample("z", dist.Normal(0.0, 1.0))
            vipl.sample("y", dist.Normal(z, 1.0), obs=batch)

    @vipl.program
    def encoder(params, batch):
        with vipl.plate("datum", len(batch)):
            vipl.sample("z", dist.Normal(params["slope"] * batch, 1.0))

    return len(fit(model, encoder, params={"slope": 0.5}).objective_history)


@fault("24c", "NaN in one row of data=", Raises(vipl.NonFiniteError, "nan at step 1", "'y'", "(3,)"))
def nan_row():
    @vipl.program
    def model(batch):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("datum", len(Y), subsample_size=len(batch)):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=batch)  # <- here

    fit(model, data=np.where(Y == Y[7], np.nan, Y))


@fault(45, "float64 data= with x64 off", Warns(vipl.VIPLWarning, "float64", "float32", "jax_enable_x64", value=4))
def double_data():
    from vipl.infer.options import _warned

    _warned.clear()
    fit(scaled, data=np.linspace(-1.0, 1.0, 20))
    return len(fit(scaled, data=np.linspace(-1.0, 1.0, 20)).objective_history)


@fault("14a", "batch_size larger than the data", Raises(vipl.ParameterError, "batch_size is 50", "20 rows"))
def large_batch():
    vipl.infer(scaled, key=jax.random.key(0), data=Y, batch_size=50, progress=False)  # <- here


@fault("14b", "data of different lengths", Raises(vipl.ParameterError, "data[0]: 20, data[1]: 19"))
def ragged():
    vipl.infer(scaled, key=jax.random.key(0), data=(Y, Y[1:]), batch_size=5, progress=False)  # <- here


@fault("14c", "data for a model that takes none", Raises(vipl.ProgramError, "data is given", "lambda params, batch"))
def unused_data():
    vipl.infer(scaled(Y), key=jax.random.key(0), data=Y, batch_size=5, progress=False)  # <- here
