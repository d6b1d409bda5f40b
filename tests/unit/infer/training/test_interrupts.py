"""Ctrl-C: the posterior so far, soon, to the bit that of a fit which ended there; a second one ends all at once."""

import os
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist

pytestmark = pytest.mark.usefixtures("quick_compilation", "as_in_a_terminal")

ADAM = {"optimizer": optax.adam(0.01)}


@pytest.fixture
def as_in_a_terminal():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "the handler was put back"
    signal.signal(signal.SIGINT, before)


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def slow_model(y):
    vipl.factor("slow", jax.pure_callback(slow, jax.ShapeDtypeStruct((), jnp.float32)))
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


def slow():
    time.sleep(0.3)
    return np.float32(0.0)


class Signals:
    """A callback: a moment after the first steps, a thread sends signals."""

    def __init__(self, number=1, after=0.2):
        self.number, self.after, self.sent, self.thread = number, after, None, None

    def __call__(self, state):
        if self.thread is None:
            self.thread = threading.Thread(target=self.send)
            self.thread.start()

    def send(self):
        time.sleep(self.after)
        self.sent = time.monotonic()
        for _ in range(self.number):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    def seconds_since(self):
        return time.monotonic() - self.sent


def fit(program=model, **options):
    return vipl.infer(program(jnp.ones(3)), **({"key": jax.random.key(0), "progress": False} | options))


def fit_batches(callback, **options):
    """Fit by vipl's own optimiser and batches of an iterator, which come one by one."""

    @vipl.program
    def of_batch(batch):
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        with vipl.plate("data", 6, subsample_size=3):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=batch)

    data = [jnp.zeros(3), jnp.ones(3)]
    options = {
        "key": jax.random.key(0),
        "num_steps": 400,
        "progress": False,
        "data": [[batch] for batch in data],
    } | options
    return vipl.infer(lambda params, batch: of_batch(batch[0]), callback=callback, **options)


def bits(posterior):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((posterior.params, posterior.objective_history))]


def test_the_posterior_so_far_is_that_of_a_fit_which_ended_there(tmp_path):
    signals = Signals()
    found = fit(num_steps=10**8, callback=signals, checkpoint=tmp_path / "run", **ADAM)
    assert signals.seconds_since() < 2
    steps = len(found.objective_history)
    assert found.status == "interrupted"
    assert bits(found) == bits(fit(num_steps=steps, **ADAM))
    assert bits(found) != bits(fit(num_steps=steps - 1, **ADAM))
    resumed = fit(num_steps=steps + 50, checkpoint=tmp_path / "run", **ADAM)
    assert bits(resumed) == bits(fit(num_steps=steps + 50, **ADAM))


@pytest.mark.parametrize("at", [5, 350])
def test_by_the_optimiser_of_vipl_it_is_that_of_a_fit_stopped_there(at):
    """Once while it approaches, and once while it averages."""

    def interrupt(state):
        if state.step == at:
            os.kill(os.getpid(), signal.SIGINT)

    found = fit_batches(interrupt)
    assert found.status == "interrupted"
    assert len(found.objective_history) == at
    stopped = fit_batches(lambda state: state.step == at)
    assert stopped.status == "stopped"
    assert bits(found) == bits(stopped)
    assert bits(found) != bits(fit_batches(lambda state: state.step == at - 1))


def test_a_slow_step_is_waited_for_and_no_more():
    signals = Signals(after=0.75)
    found = fit(slow_model, num_steps=10**6, callback=signals, **ADAM)
    assert signals.seconds_since() < 2
    assert found.status == "interrupted"
    assert 3 <= len(found.objective_history) <= 6
    assert bits(found) == bits(fit(slow_model, num_steps=len(found.objective_history), **ADAM))


def test_a_second_one_ends_all_at_once():
    signals = Signals(number=2)
    with pytest.raises(KeyboardInterrupt):
        fit(slow_model, callback=signals, **ADAM)
    assert signals.seconds_since() < 1


class Waits:
    """An iterator with a state that it moves before a batch is ready, the fourth only after a minute."""

    def __init__(self):
        self.position = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.position += 1
        time.sleep(60 * (self.position == 4))
        return [jnp.full(3, 0.1 * self.position)]

    def get_state(self):
        return self.position

    def set_state(self, state):
        self.position = state


def test_a_batch_is_not_waited_for(tmp_path, monkeypatch):
    signals = Signals()
    options = {"checkpoint": tmp_path / "run", "num_steps": 8, **ADAM}
    found = fit_batches(signals, data=Waits(), **options)
    assert signals.seconds_since() < 1
    assert (found.status, len(found.objective_history)) == ("interrupted", 3)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    resumed = fit_batches(None, data=Waits(), **options)
    assert bits(resumed) == bits(fit_batches(None, data=Waits(), **options | {"checkpoint": None}))


def test_restarts_are_interrupted_together():
    found = fit(num_steps=10**8, callback=Signals(), num_restarts=2, **ADAM)
    assert found.status == "interrupted"
    assert found.restarts.objectives.shape == (2,)


def test_a_fit_outside_of_the_main_thread_gets_no_signals_and_works():
    found = []
    thread = threading.Thread(target=lambda: found.append(fit(num_steps=10, **ADAM)))
    thread.start()
    thread.join()
    assert found[0].status == "finished"
