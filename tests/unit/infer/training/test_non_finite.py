"""A step that is not finite: the site and the step are named, what was learned before is there, to the bit."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl._core.static import StaticValue
from vipl.infer.training import loop, setup
from vipl.infer.training.loop import Rules
from vipl.infer.training.run import Run

pytestmark = pytest.mark.usefixtures("quick_compilation")

BAD = 137


@vipl.program
def of_covariate(x):
    a = vipl.sample("a", dist.Normal(0.0, 1.0))
    vipl.sample("first", dist.Normal(a, 1.0), obs=0.5)
    vipl.sample("b", dist.Normal(a * x, 1.0), obs=1.0)


@vipl.program
def of_clock(clock):
    """The clock, a parameter, goes on by one at each step."""
    a = vipl.sample("a", dist.Normal(0.0, 1.0))
    vipl.factor("tick", clock)
    vipl.sample("b", dist.Normal(a + jnp.where(jnp.abs(clock - BAD) < 0.5, jnp.nan, 0.0), 1.0), obs=1.0)


@vipl.program
def without_slope(clock):
    """The objective is finite where the clock reads 137, and its slope is not."""
    a = vipl.sample("a", dist.Normal(0.0, 1.0))
    vipl.factor("tick", clock)
    vipl.sample("b", dist.Normal(a + jnp.sqrt(jnp.abs(clock - BAD)), 100.0), obs=1.0)


@vipl.program
def of_draw():
    a = vipl.sample("a", dist.Normal(0.0, 1.0))
    vipl.sample("b", dist.Normal(jnp.where(a > 2.0, jnp.nan, a), 1.0), obs=1.0)


@vipl.program
def guide(params):
    vipl.sample("a", dist.Normal(params["loc"], 1.0))


def batches():
    for step in range(400):
        yield np.float32(np.nan if step == BAD else 1.0)


def fit(model_of, params=None, num_steps=200, **options):
    options = {"optimizer": optax.sgd(0.01), "progress": False, "key": jax.random.key(0)} | options
    guide_of = (lambda params, batch: guide(params)) if "data" in options else lambda params: guide(params)
    return vipl.infer(model_of, guide_of, params=params or {"loc": jnp.array(0.0)}, num_steps=num_steps, **options)


def of_batches(**options):
    return fit(lambda params, batch: of_covariate(batch), data=batches(), **options)


def of_ticks(model=of_clock, **options):
    one_a_step = optax.chain(optax.scale_by_sign(), optax.scale(-1.0))
    optimizer = optax.multi_transform({"loc": optax.sgd(0.01), "clock": one_a_step}, {"loc": "loc", "clock": "clock"})
    params = {"loc": jnp.array(0.0), "clock": jnp.array(0.0)}
    return fit(lambda params: model(params["clock"]), params=params, optimizer=optimizer, **options)


def error_of(run, **options):
    with pytest.raises(vipl.NonFiniteError) as caught:
        run(**options)
    return caught.value


def assert_same_bits(posterior, other):
    assert posterior.objective_history.tobytes() == other.objective_history.tobytes()
    for one, two in zip(jax.tree.leaves(posterior.params), jax.tree.leaves(other.params), strict=True):
        assert np.asarray(one).tobytes() == np.asarray(two).tobytes()


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize("run", [of_batches, of_ticks])
def test_the_error_names_site_and_step_and_keeps_what_was_learned(run, guarded, monkeypatch):
    monkeypatch.setattr(setup, "_UNGUARDED", (np.inf, 0) if guarded else (0, np.inf))
    error = error_of(run)
    assert error.what.startswith(f"the objective is nan at step {BAD}: model site 'b' has parameter 'loc' = nan")
    assert f"{__file__}:" in str(error)
    assert error.fix
    before = run(num_steps=BAD)
    assert before.status == "finished"
    assert len(error.posterior.objective_history) == BAD
    assert_same_bits(error.posterior, before)
    assert error.posterior.status == f"stopped: {error.what}"
    assert error.posterior.sample(jax.random.key(0), 3)["a"].shape == (3,)
    stopped = run(on_nan="stop")
    assert stopped.status == error.posterior.status
    assert_same_bits(stopped, before)


def test_the_remedy_for_a_bad_batch_is_the_data_and_for_a_bad_step_the_rate():
    assert error_of(of_batches).fix.startswith("data and covariates that are finite")
    assert "a smaller learning rate" in error_of(of_ticks).fix


def test_rows_of_arrays_are_named_at_the_step_that_has_them():
    x = np.ones(100, np.float32)
    x[7] = np.nan

    def run(**options):
        return fit(lambda params, batch: of_covariate(batch[0]), data=x, batch_size=1, num_steps=100, **options)

    with pytest.warns(vipl.VIPLWarning, match="a batch of 1 of 100"):
        error = error_of(run)
    assert "model site 'b' has parameter 'loc' = nan" in error.what
    assert f"at step {len(error.posterior.objective_history)}:" in error.what


def test_a_skipped_step_is_nan_in_the_history_and_no_other():
    found = of_batches(on_nan="skip")
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found.objective_history)), [BAD])
    assert found.status == "finished"
    before = of_batches(num_steps=BAD)
    np.testing.assert_array_equal(found.objective_history[:BAD], before.objective_history)
    assert found.params["loc"] != before.params["loc"], "it went on"


def test_steps_that_are_skipped_for_good_are_no_convergence():
    found = of_ticks(on_nan="skip")
    assert found.status == f"not converged: {200 - BAD} of 200 steps were not finite, and skipped"
    before = of_ticks(num_steps=BAD)
    assert found.params["loc"] == before.params["loc"]


def test_a_gradient_that_is_not_finite_is_named_though_the_objective_is():
    error = error_of(of_ticks, model=without_slope)
    assert error.what.startswith(f"the gradient is not finite at step {BAD}: that of the log_prob of model site 'b' is")
    assert "params['clock']" in error.what
    assert error.posterior.params["clock"] == BAD
    skipped = of_ticks(without_slope, on_nan="skip")
    np.testing.assert_array_equal(np.isnan(skipped.objective_history), np.arange(200) >= BAD)


def test_one_bad_draw_of_several_is_found():
    error = error_of(lambda: fit(lambda params: of_draw(), num_samples=4))
    assert "model site 'b' has parameter 'loc' = nan" in error.what


def test_initial_values_that_are_not_finite():
    error = error_of(lambda: fit(lambda params: of_draw(), params={"loc": jnp.array(jnp.inf)}))
    assert "at step 0: params['loc'] is not finite" in error.what
    assert "better initial values" in error.fix


@pytest.mark.parametrize(("breaks", "made"), [([7, 99], 7), ([7, 5, 99], 5), ([0, 99], 0), ([99], 20)])
def test_a_chunk_is_made_again_up_to_the_step_that_broke(monkeypatch, breaks, made):
    """Also where steps differ in bits from one time to the next, as on some devices, and break earlier then."""
    breaks = iter(breaks)

    def advance(problem, state, key, count, batch, rate, *, rules):
        done = min(count, next(breaks))
        return state + done if done == count else np.nan, state, np.arange(4096.0), done, done == count

    monkeypatch.setattr(loop, "advance", advance)
    run = Run(None, Rules(None, StaticValue(None), guarded=False), None, 100, 20)
    values, done, finite = run._steps(20)
    assert (run.state, int(done), bool(finite)) == (100 + made, made, made == 20)
    assert values[int(done)] == made
