"""A fit traces its step once, however long; another fit of the same shapes traces nothing."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl.infer.training import loop


@vipl.program
def model(x, y):
    weight = vipl.sample("weight", dist.Normal(0.0, 1.0))
    noise = vipl.sample("noise", dist.HalfNormal(1.0))
    with vipl.plate("data", x.shape[0]):
        vipl.sample("y", dist.Normal(weight * x, noise), obs=y)


def default():
    return {}


def family():
    return {"guide": vipl.guides.MeanField(init_scale=0.3)}


def program():
    @vipl.program
    def guide():
        scale = vipl.param("scale", lambda key: jax.random.uniform(key) + 0.1, constraint=dist.constraints.positive)
        vipl.sample("weight", dist.Normal(vipl.param("loc", 0.0), scale))
        vipl.sample("noise", dist.LogNormal(vipl.param("log_noise", 0.0), 0.1))

    return {"guide": guide()}


def function():
    @vipl.program
    def guide(params):
        vipl.sample("weight", dist.Normal(params["loc"], 0.1))
        vipl.sample("noise", dist.LogNormal(params["log_noise"], 0.1))

    return {
        "guide": lambda params: guide(params),
        "params": {"loc": np.float32(0.0), "log_noise": np.float32(0.0)},
    }


def fit(variant, seed, num_steps=200, **options):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, 20)).astype(np.float32)
    return vipl.infer(
        model(x, y),
        key=jax.random.key(seed),
        optimizer=optax.adam(0.01),
        num_steps=num_steps,
        progress=False,
        **variant(),
        **options,
    )


@pytest.fixture
def compilations():
    """What has been compiled since: a list of names."""
    names = []

    def listen(event, duration, **details):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(details.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def step_traced_once(monkeypatch):
    """Make the second trace of a chunk of steps an error."""
    chex.clear_trace_counter()
    for name in ("advance", "advance_lanes"):
        fn = chex.assert_max_traces(getattr(loop, name).__wrapped__, n=1)
        monkeypatch.setattr(loop, name, jax.jit(fn, static_argnames="rules", donate_argnames="state"))


@pytest.mark.parametrize("variant", [default, family, program, function])
def test_a_second_fit_of_the_same_shapes_compiles_nothing(variant, compilations):
    fit(variant, 0)
    compilations.clear()
    for seed, num_steps in ((1, 200), (2, 350)):
        fit(variant, seed, num_steps)
    assert compilations == []


@pytest.mark.parametrize("variant", [default, family, program, function])
def test_a_fit_traces_its_step_once(variant, step_traced_once):
    for seed in range(3):
        fit(variant, seed, 5000)


def test_the_default_optimizer_compiles_once_for_one_number_of_steps(compilations):
    arguments = {"progress": False, "num_steps": 300}
    vipl.infer(model(jnp.ones(7), jnp.zeros(7)), key=jax.random.key(0), **arguments)
    compilations.clear()
    vipl.infer(model(np.zeros(7, np.float32), np.ones(7, np.float32)), key=jax.random.key(1), **arguments)
    assert compilations == []


@pytest.mark.parametrize("guide", [vipl.guides.MeanField(), vipl.guides.FullRank(), vipl.guides.LowRank()])
def test_a_first_fit_compiles_its_steps_and_little_else(guide, compilations):
    key, data = jax.random.key(0), np.random.default_rng(0).normal(size=(2, 20)).astype(np.float32)
    jax.clear_caches()
    compilations.clear()
    vipl.infer(model(*data), guide, key=key, num_steps=2000, progress=False)
    named = [
        name for name in compilations if name not in ("jit(stage)", "jit(convert_element_type)")
    ]  # one number each
    assert sorted(named) == ["jit(_evaluate)", "jit(advance)", "jit(start)"]


@vipl.program
def of_batch(batch):
    x, y = batch
    weight = vipl.sample("weight", dist.Normal(0.0, 1.0))
    with vipl.plate("data", 20, subsample_size=len(x)):
        vipl.sample("y", dist.Normal(weight * x, 1.0), obs=y)


@vipl.program
def grouped(x, y):
    spread = vipl.sample("spread", dist.HalfNormal(1.0))
    with vipl.plate("group", 2):
        weight = vipl.sample("weight", dist.Normal(0.0, spread))
    with vipl.plate("data", x.shape[0]):
        vipl.sample("y", dist.Normal(weight.sum() * x, 1.0), obs=y)


VARIANTS = {
    "full rank": {"guide": vipl.guides.FullRank()},
    "flow": {"guide": vipl.guides.Flow(num_layers=1)},
    "not centred": {"guide": vipl.guides.FullRank(noncentered=True)},
    "restarts": {"num_restarts": 3},
    "restarts, adam": {"num_restarts": 3, "optimizer": optax.adam(0.01)},
    "arrays of data": {"batch_size": 5},
}


def fit_with(options, seed, num_steps):
    x, y = np.random.default_rng(seed).normal(size=(2, 20)).astype(np.float32)
    if "batch_size" in options:
        options, model = options | {"data": (x, y)}, lambda params, batch: of_batch(batch)
    else:
        model = grouped(x, y)
    return vipl.infer(model, key=jax.random.key(seed), num_steps=num_steps, progress=False, **options)


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_the_search_for_coordinates_and_all_the_rest_compile_once(
    options, step_traced_once, compilations, quick_compilation
):
    fit_with(options, 0, 100)
    compilations.clear()
    for seed, num_steps in ((1, 100), (2, 170)):
        fit_with(options, seed, num_steps)
    assert compilations == []


def test_callbacks_and_stopping_compile_nothing_more(compilations):
    fit(default, 0)
    compilations.clear()
    fit(default, 1, callback=lambda state: False, stop=lambda history: False)
    assert compilations == []


def test_other_shapes_compile_again(compilations):
    """The twin that must fail: the counter does count."""
    fit(default, 0)
    compilations.clear()
    vipl.infer(
        model(jnp.ones(3), jnp.ones(3)),
        key=jax.random.key(0),
        optimizer=optax.adam(0.01),
        num_steps=50,
        progress=False,
    )
    assert "jit(advance)" in compilations


def test_a_helper_that_is_redefined_is_not_mistaken_for_the_old_one():
    """As in a notebook: the cell with the model is the same, another cell has changed."""
    cell = compile(
        "@vipl.program\n"
        "def model(y):\n"
        "    m = vipl.sample('m', dist.Normal(0.0, 1.0))\n"
        "    vipl.sample('y', dist.Normal(mean(m), 1.0), obs=y)\n",
        "cell",
        "exec",
    )
    names, objectives = {"vipl": vipl, "dist": dist}, []
    for shift in (0.0, 0.0, 100.0):
        names["mean"] = (lambda m: m) if shift == 0.0 else (lambda m: m + 100.0)
        exec(cell, names)
        posterior = vipl.infer(names["model"](jnp.array(0.0)), key=jax.random.key(0), num_steps=3, progress=False)
        objectives.append(posterior.objective_history[-1])
    assert objectives[0] == objectives[1]
    assert objectives[2] < objectives[0] - 1000
