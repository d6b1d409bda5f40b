"""Every kind of optax optimiser makes the steps that a loop by hand makes with it, under the same keys.

In double precision: two programs that XLA compiles apart may differ by rounding, and by nothing else.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl import objectives
from vipl._core.keys import numbered
from vipl.infer.training.convergence import Window
from vipl.infer.training.plan import Plan, rates_of

pytestmark = pytest.mark.usefixtures("quick_compilation", "x64")

KEY, STEPS = jax.random.key(0), 30


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
    vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def guide(params):
    vipl.sample("mu", dist.Normal(params["loc"], jnp.exp(params["log_scale"])))


def start():
    return {"loc": jnp.array(-1.0), "log_scale": jnp.array(0.0)}


def fit(optimizer, **options):
    options = {"key": KEY, "num_steps": STEPS, "progress": False, "params": start()} | options
    return vipl.infer(model(2.0), guide, optimizer=optimizer, **options)


@functools.partial(jax.jit, static_argnums=2)
def loss_and_gradient(params, key, num_samples):
    objective = objectives.elbo.with_num_samples(num_samples)
    return jax.value_and_grad(lambda params: -objective(key, model(2.0), guide(params)))(params)


def by_hand(optimizer, key=KEY, num_samples=1, rates=None, num_steps=STEPS, compiled=False):
    """Return the parameters after each step, and the objective at each."""
    optimizer = optax.with_extra_args_support(optimizer)

    def step(params, state, number, rate):
        key_step = numbered(key, number)
        loss = lambda params: loss_and_gradient(params, key_step, num_samples)[0]  # noqa: E731
        value, gradient = loss_and_gradient(params, key_step, num_samples)
        updates, state = optimizer.update(gradient, state, params, value=value, grad=gradient, value_fn=loss)
        return optax.apply_updates(params, jax.tree.map(lambda update: rate * update, updates)), state, -value

    step = jax.jit(step) if compiled else step
    params, path, history = start(), [], []
    state = optimizer.init(params)
    for number in range(num_steps):
        rate = 1.0 if rates is None else float(np.float32(rates(number, path)))
        params, state, value = step(params, state, number, rate)
        path.append(jax.tree.map(float, params))
        history.append(float(value))
    return path, history


def assert_same(posterior, params, history, rtol=1e-10):
    np.testing.assert_allclose(posterior.objective_history, history, rtol=rtol)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=rtol), posterior.params, params)


def named(**optimizers):
    return pytest.mark.parametrize("optimizer", list(optimizers.values()), ids=list(optimizers))


@named(
    clipped_and_scheduled=optax.chain(
        optax.clip_by_global_norm(1.0), optax.sgd(optax.cosine_decay_schedule(0.05, STEPS), momentum=0.9)
    ),
    several=optax.multi_transform({"loc": optax.adam(0.05), "log_scale": optax.sgd(0.01)}, {k: k for k in start()}),
)
def test_a_fit_is_the_loop_by_hand(optimizer):
    path, history = by_hand(optimizer)
    assert_same(fit(optimizer), path[-1], history)


def test_a_line_search_looks_at_the_objective_of_its_own_step():
    optimizer = optax.lbfgs(memory_size=2, linesearch=optax.scale_by_backtracking_linesearch(5))
    steps = 10  # each of them amplifies the rounding of those before
    path, history = by_hand(optimizer, num_steps=steps, compiled=True)
    assert_same(fit(optimizer, num_steps=steps), path[-1], history)


def test_several_samples_and_another_key():
    path, history = by_hand(optax.adam(0.1), jax.random.key(5), num_samples=3)
    assert_same(fit(optax.adam(0.1), key=jax.random.key(5), num_samples=3), path[-1], history)
    assert not np.allclose(by_hand(optax.adam(0.1), num_samples=3, num_steps=1)[1], history[0])


def test_the_step_gives_what_line_searches_ask_for():
    """The optimiser moves only if value, gradient and function are those of one and the same draw."""

    def update(updates, state, params, **extra):
        assert set(extra) == {"value", "grad", "value_fn"}
        same_value = jnp.abs(extra["value_fn"](params) - extra["value"]) < 1e-12
        same_gradient = jax.tree.map(lambda one, other: jnp.all(one == other), extra["grad"], updates)
        fine = same_value & same_gradient["loc"] & same_gradient["log_scale"]
        return jax.tree.map(lambda update: jnp.where(fine, -0.01 * update, jnp.nan), updates), state

    optimizer = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
    path, history = by_hand(optax.sgd(0.01))
    assert_same(fit(optimizer), path[-1], history)


def test_the_optimiser_of_vipl_is_adam_at_the_rates_of_the_plan_and_its_average():
    """Windows of 5 steps; the plan looks at moments that are taken from the path by NumPy."""
    num_steps = 200
    plan = Plan(num_steps, rates_of(num_steps, None))

    def rates(number, path):
        if number and number % 5 == 0:
            window = np.array([list(params.values()) for params in path[-5:]])
            plan.look(Window(window.mean(0), window.var(0), 5))
        return plan.rate()

    path, history = by_hand(optax.adam(1.0), rates=rates, num_steps=num_steps)
    averaged = path[plan.averages_from * 5 :]
    mean = {name: np.mean([params[name] for params in averaged]) for name in start()}
    found = fit(None, num_steps=num_steps)
    assert_same(found, mean, history, rtol=1e-8)
    assert abs(found.params["loc"] - path[-1]["loc"]) > 1e-3, "the last iterate, not averaged"
