"""Faults that show while a guide is fitted: in its sites, the numbers, the optimiser, the options."""

import os
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import vipl
import vipl.distributions as dist

from .addresses import Y, regression
from .registry import Equals, Raises, fault

KEY = jax.random.key(0)


def fit(*programs, **options):
    return vipl.infer(*programs, **({"key": KEY, "num_steps": 50, "progress": False} | options))


@fault(2, "misspelt guide address in infer", Raises(vipl.AddressError, "'sigmaa'", "Did you mean 'sigma'"))
def misspelt():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), 1.0))
        vipl.sample("sigmaa", dist.LogNormal(0.0, 0.1))  # <- here

    fit(regression(Y), guide())


@fault(3, "guide lacks a latent in infer", Raises(vipl.AddressError, "'sigma'", "regression"))
def lacking():
    @vipl.program
    def guide(params):
        vipl.sample("mu", dist.Normal(params["loc"], 1.0))

    fit(regression(Y), guide, params={"loc": 0.0})


@fault(5, "guide samples an observed address in infer", Raises(vipl.AddressError, "'y'", "observed"))
def samples_observed():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))
        vipl.sample("y", dist.Normal(jnp.zeros(4), 1.0).to_event(1))  # <- here

    fit(regression(Y), guide())


@fault(6, "obs= inside a guide in infer", Raises(vipl.AddressError, "'y'", "guide", "obs="))
def guide_observes():
    @vipl.program
    def guide(y):
        vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), 1.0))
        vipl.sample("sigma", dist.LogNormal(0.0, 0.1))
        vipl.sample("y", dist.Normal(0.0, 1.0), obs=y)  # <- here

    fit(regression(Y), guide(1.0))


@fault(15, "guide support wider than the model's in infer", Raises(vipl.SupportError, "'sigma'", "positive"))
def wider():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), 1.0))
        vipl.sample("sigma", dist.Normal(1.0, 0.1))  # <- here

    fit(regression(Y), guide())


@vipl.program
def plated(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@fault(25, "Inf in data", Raises(vipl.NonFiniteError, "'y'", "step 0", "-inf", "(1,)"))
def infinite_data():
    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 3):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=y)  # <- here

    fit(model(jnp.array([1.0, jnp.inf, 2.0])))


@fault(25, "Inf in data, on_nan='stop'", Equals((True, True, 0)))
def infinite_data_stop():
    posterior = fit(plated(jnp.array([1.0, jnp.inf])), on_nan="stop")
    return "'y'" in posterior.status, "step 0" in posterior.status, len(posterior.objective_history)


@fault(25, "learning rate far too large", Raises(vipl.NonFiniteError, "step", "smaller learning rate"))
def large_rate():
    fit(plated(jnp.ones(3)), optimizer=optax.sgd(1e30))


@fault(25, "negative learning rate", Raises(vipl.NonFiniteError, "step", "learning rate"))
def negative_rate():
    fit(plated(jnp.ones(3)), optimizer=optax.sgd(-0.5), num_steps=2000)


@fault("25a", "what was learned before the step that broke", Equals((True, True)))
def kept_before_breaking():
    posterior = fit(plated(jnp.ones(3)), optimizer=optax.sgd(-0.5), num_steps=2000, on_nan="stop")
    finite = all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(posterior.params))
    return finite, f"step {len(posterior.objective_history)}" in posterior.status


@fault("25b", "a number of steps that is no int", Raises(vipl.ParameterError, "num_steps", "1000.0"))
def float_steps():
    vipl.infer(plated(jnp.ones(3)), key=KEY, num_steps=1e3, progress=False)  # <- here


@fault("25c", "an optimiser that is none", Raises(vipl.ParameterError, "optimizer", "optax"))
def no_optimizer():
    vipl.infer(plated(jnp.ones(3)), key=KEY, optimizer=0.01, progress=False)  # <- here


@fault("25d", "an objective that is none", Raises(vipl.ProgramError, "objective", "vipl.expectation"))
def no_objective():
    vipl.infer(plated(jnp.ones(3)), key=KEY, objective=lambda model, guide: 0.0, progress=False)  # <- here


@fault("35a", "no program but its function in infer", Raises(vipl.ProgramError, "plated", "plated("))
def unbound():
    vipl.infer(plated, key=KEY, progress=False)  # <- here


@fault("35b", "an int for the key of infer", Raises(vipl.RandomnessError, "int 0", "key=jax.random.key(0)"))
def int_key():
    vipl.infer(plated(jnp.ones(3)), key=0, progress=False)  # <- here


@fault("35c", "no key in infer", Raises(vipl.RandomnessError, "key=jax.random.key(0)"))
def no_key():
    vipl.infer(plated(jnp.ones(3)), progress=False)  # <- here


@fault("35d", "a guide family that was not made", Raises(vipl.ProgramError, "MeanField", "MeanField()"))
def family_class():
    vipl.infer(plated(jnp.ones(3)), vipl.guides.MeanField, key=KEY, progress=False)  # <- here


@fault("35e", "the model given as its own guide", Raises(vipl.AddressError, "'y'", "guide"))
def own_guide():
    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)  # <- here

    fit(model(1.0), model(1.0))


@fault(39, "Ctrl-C in training: the posterior so far, within 2 s", Equals(("interrupted", True, True, (5,))))
def interrupted():
    sent = []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    def callback(state):
        if not sent and not timers:
            timers.append(threading.Timer(0.3, interrupt))
            timers[0].start()

    timers = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        posterior = fit(plated(jnp.ones(3)), num_steps=10**8, callback=callback)
    finally:
        signal.signal(signal.SIGINT, before)
    soon = time.monotonic() - sent[0] < 2.0
    return posterior.status, soon, len(posterior.objective_history) > 0, posterior.sample(KEY, 5)["mu"].shape


_compilations = []


def _note_compilation(event, seconds, **details):
    if event.endswith("backend_compile_duration"):
        _compilations.append((seconds, details))


jax.monitoring.register_event_duration_secs_listener(_note_compilation)


def _resident_megabytes():
    with open("/proc/self/statm") as statistics:
        return int(statistics.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


@fault(41, "300 refits: no compile, at most 0.05 MB each", Equals((0, True)))
def refits():
    def refit(i):
        @vipl.program
        def model(y, scale):
            mu = vipl.sample("mu", dist.Normal(0.0, scale))
            with vipl.plate("data", y.shape[0]):
                vipl.sample("y", dist.Normal(mu, 1.0), obs=y)

        return fit(model(np.full(5, i, np.float32), 2.0), optimizer=optax.adam(0.1), num_steps=10).params

    for i in range(20):
        refit(i)
    compiled, memory = len(_compilations), _resident_megabytes()
    for i in range(300):
        refit(i)
    return len(_compilations) - compiled, (_resident_megabytes() - memory) / 300 <= 0.05
