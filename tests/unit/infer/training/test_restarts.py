"""Several runs side by side: each is the run of its key, the best is kept, and it shows where they disagree."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.training import setup

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY, LANES = jax.random.key(0), 4


@vipl.program
def squared(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 10.0))
    vipl.sample("y", dist.Normal(mu**2, 1.0), obs=y)


@vipl.program
def plain(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 10.0))
    vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


def test_runs_at_two_modes_disagree_and_say_so():
    found = vipl.infer(squared(25.0), key=KEY, num_steps=600, num_restarts=12, progress=False)
    assert found.status == "finished"
    assert np.ptp(found.restarts.objectives) < 1.0, "the modes are as good as each other"
    assert found.restarts.rhat > 10
    assert found.verdict == "poor"
    assert "several modes" in found.diagnose().advice[0]


def test_runs_at_the_only_mode_agree():
    found = vipl.infer(plain(5.0), key=KEY, num_steps=600, num_restarts=6, progress=False)
    assert found.restarts.rhat < 1.1
    assert found.verdict == "good"
    assert found.objective_history.shape == (600,)


def test_a_run_that_finds_no_coordinates_takes_those_of_another(monkeypatch):
    find, found = setup.find_frame, []

    def sometimes(*arguments):
        frame = find(*arguments) if len(found) != 1 else None
        found.append(frame)
        return frame

    monkeypatch.setattr(setup, "find_frame", sometimes)
    fitted = vipl.infer(plain(5.0), key=KEY, num_steps=600, num_restarts=6, progress=False)
    assert [frame is None for frame in found] == [False, True, False, False, False, False]
    assert fitted.restarts.rhat < 1.1


@vipl.program
def trapped(params):
    """Breaks down where the clock reads 25; it goes on by one at each step."""
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    vipl.factor("tick", params["clock"])
    vipl.factor("trap", jnp.where(jnp.abs(params["clock"] - 25.0) < 0.5, jnp.nan, 0.0))
    vipl.sample("y", dist.Normal(mu, 1.0), obs=2.0)


@vipl.program
def guide(params):
    vipl.sample("mu", dist.Normal(params["loc"], 0.5))


OPTIMIZER = optax.multi_transform({"loc": optax.adam(0.05), "clock": optax.sgd(1.0)}, {"loc": "loc", "clock": "clock"})


def fit(clocks, key=KEY, **options):
    """Fit with runs whose clocks start as given, whatever their keys are."""
    clocks = jnp.array(clocks, jnp.float32)
    keys = jax.random.key_data(jax.random.split(KEY, LANES))

    def params(key):
        lane = jnp.argmax(jnp.all(keys == jax.random.key_data(key), 1))
        return {"loc": jax.random.normal(key), "clock": clocks[lane]}

    options = {"num_steps": 40, "num_restarts": LANES, "progress": False, "optimizer": OPTIMIZER} | options
    return vipl.infer(lambda params: trapped(params), lambda params: guide(params), key=key, params=params, **options)


def test_each_run_is_that_of_its_key_and_the_best_is_kept():
    seen = []
    together = fit([100, 101, 103, 102], callback=lambda state: seen.append(state))
    each = [fit([100, 101, 103, 102], key, num_restarts=1) for key in jax.random.split(KEY, LANES)]
    histories = np.stack([one.objective_history for one in each], 1)
    np.testing.assert_allclose(seen[-1].objective_history, histories, rtol=1e-4)
    np.testing.assert_allclose(seen[-1].params["loc"], [one.params["loc"] for one in each], rtol=1e-4)
    np.testing.assert_allclose(together.restarts.objectives, histories[-4:].mean(0), rtol=1e-4)
    assert together.restarts.best == 2, "the clock is in the objective"
    np.testing.assert_array_equal(together.objective_history, seen[-1].objective_history[:, 2])
    np.testing.assert_array_equal(together.params["loc"], seen[-1].params["loc"][2])
    assert np.ptp(histories[0] - [100, 101, 103, 102]) > 1e-3, "they start from different points and draws"


def test_a_run_that_breaks_off_leaves_the_others_as_they_are():
    seen = []
    whole = fit([100, 101, 103, 102], callback=lambda state: seen.append(state.objective_history))
    found = fit([100, 20, 103, 3], callback=lambda state: seen.append(state.objective_history))
    np.testing.assert_array_equal(np.isnan(found.restarts.objectives), [False, True, False, True])
    np.testing.assert_array_equal(np.isnan(seen[-1]).sum(0), [0, 35, 0, 18])
    assert found.restarts.best == 2
    np.testing.assert_array_equal(found.objective_history, whole.objective_history)
    np.testing.assert_array_equal(found.params["loc"], whole.params["loc"])
    assert found.status == "finished"


def test_runs_that_all_break_off_are_an_error_of_the_last():
    with pytest.raises(vipl.NonFiniteError, match=r"nan at step 22: .*'trap'") as caught:
        fit([20, 5, 3, 19])
    kept = caught.value.posterior
    assert kept.restarts.best == 2
    assert len(kept.objective_history) == 22
    assert kept.params["clock"] == 25
    stopped = fit([20, 5, 3, 19], on_nan="stop")
    assert stopped.status.startswith("stopped: the objective is nan at step 22")


def test_skipped_steps_of_runs_are_left_out_of_their_objectives():
    found = fit([20, 100, 3, 19], on_nan="skip")
    np.testing.assert_array_equal(np.isnan(found.restarts.objectives), [True, False, True, True])
    assert found.restarts.best == 1


@vipl.program
def many(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    with vipl.plate("data", y.shape[0], subsample_size=500) as rows:
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y[rows])


def test_noise_of_minibatches_does_not_part_runs():
    """Estimates of a step differ by hundreds of nats, and means over the last of them by tens."""
    y = 3.0 * jax.random.normal(jax.random.key(1), (2000,))
    found = vipl.infer(many(y), key=KEY, num_restarts=4, num_steps=2000, progress=False).restarts
    assert np.ptp(found.objectives) > 10.0, "nothing is shown"
    assert not found.behind.any()
    assert (found.errors > 1.0).all()
    assert found.rhat < 1.2
