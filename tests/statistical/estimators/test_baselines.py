"""Baselines leave value and gradient as they are, whatever they are made of, and lower the variance they are for."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from helpers import assert_unbiased
from jax import lax
from matrix.cells import Cell, exact_and_resolution, flat
from matrix.contexts import CONTEXTS
from matrix.judgement import RIGHT, WRONG, judge
from zoo import FAMILIES

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.transform.evaluation import estimate as estimate_module

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("quick_compilation", "x64")]

LEFT_OUT = estimators.ScoreFunction("leave_one_out")


def verdict(context, family="bernoulli", num_samples=2):
    cell = Cell("leave one out", LEFT_OUT, FAMILIES[family], CONTEXTS[context], True)
    exact, resolution = exact_and_resolution(cell)

    def draw(address, theta):
        return cell.family.jumpy(vipl.sample(address, cell.family.make(theta), estimator=LEFT_OUT))

    objective = vipl.expectation(lambda theta: cell.context.program(draw, theta), num_samples=num_samples)
    theta = jnp.array(cell.family.theta)

    def vector(key):
        return flat(lambda theta: objective(key, theta), cell.context.order)(theta)

    return judge(vector, exact, resolution=resolution)


@pytest.mark.slow
@pytest.mark.parametrize("context", CONTEXTS)
def test_other_samples_as_a_baseline(context):
    found = verdict(context)
    assert found.word == RIGHT, found.detail


def test_a_baseline_with_the_sample_itself_in_it_is_caught(monkeypatch):
    def left_out(credits, weights, others):
        return -jnp.sum(lax.stop_gradient(lax.pmean(credits, others)) * jnp.expm1(weights.array))

    monkeypatch.setattr(estimate_module, "left_out", left_out)
    assert verdict("plate").word == WRONG


@vipl.expectation
def cost(logits, x, baseline):
    with vipl.plate("n", 3):
        z = vipl.sample("z", dist.Bernoulli(logits=logits), estimator=estimators.ScoreFunction(baseline))
    return jnp.sum(jnp.exp(z * x) + 8.0 * x)


LOGITS, X = np.array([0.3, -0.8, 1.1]), np.array([0.4, 1.0, -0.7])
P = 1 / (1 + np.exp(-LOGITS))
EXACT = P * (1 - P) * np.expm1(X)
IDEAL = P + (1 - P) * np.exp(X)  # the mean of the costs of both values, each weighted by the chance of the other


def gradients(objective, *args, number=8_000):
    keys = jax.random.split(jax.random.key(0), number)
    return jax.jit(jax.vmap(lambda key: jax.grad(objective, argnums=1)(key, *args)))(keys)


@pytest.mark.parametrize("baseline", [2.5, np.array([1.0, 2.0, 3.0]), IDEAL, 0], ids=repr)
def test_numbers_and_arrays(baseline):
    assert_unbiased(gradients(cost, LOGITS, X, baseline), EXACT, resolution=0.1)


def test_the_ideal_baseline_is_exact_for_a_coin():
    assert float(jnp.std(gradients(cost, LOGITS, X, IDEAL), axis=0).max()) < 1e-12
    assert float(jnp.std(gradients(cost, LOGITS, X, None), axis=0).min()) > 0.1


def test_what_is_credited_is_each_elements_own_cost():
    (value, credits), gradient = jax.value_and_grad(cost.value_and_credits, argnums=1, has_aux=True)(
        jax.random.key(3), LOGITS, X, None
    )
    assert credits["z"].shape == (3,)
    # The 8 x that no choice has a part in is not credited.
    np.testing.assert_allclose(value, jnp.sum(credits["z"] + 8.0 * X))
    np.testing.assert_allclose(gradient, jax.grad(cost, argnums=1)(jax.random.key(3), LOGITS, X, None))
    _, many = cost.with_num_samples(4).value_and_credits(jax.random.key(3), LOGITS, X, None)
    assert many["z"].shape == (4, 3)
    tangent = jax.jvp(lambda t: cost.value_and_credits(jax.random.key(3), t, X, None)[1]["z"], (LOGITS,), (X,))[1]
    assert not np.any(tangent)


def test_a_running_average_approaches_the_mean_cost():
    def step(average, key):
        _, credits = cost.value_and_credits(key, LOGITS, X, average.value)
        return average.update(credits["z"]), None

    start = estimators.RunningAverage.start((3,), decay=0.99)
    average, _ = jax.jit(lambda keys: lax.scan(step, start, keys))(jax.random.split(jax.random.key(1), 2_000))
    np.testing.assert_allclose(average.value, P * np.exp(X) + (1 - P), atol=0.25)
    before = jnp.var(gradients(cost, LOGITS, X, None), axis=0)
    after = jnp.var(gradients(cost, LOGITS, X, average.value), axis=0)
    assert (after < 0.3 * before).all()


def test_a_running_scale_finds_the_size_of_a_baseline():
    shape_only = IDEAL / 10

    def step(scale, key):
        _, credits = cost.value_and_credits(key, LOGITS, X, scale.value * shape_only)
        return scale.update(credits["z"], shape_only), None

    keys = jax.random.split(jax.random.key(1), 2_000)
    scale, _ = jax.jit(lambda keys: lax.scan(step, estimators.RunningScale.start((), 0.99), keys))(keys)
    mean = P * np.exp(X) + (1 - P)
    np.testing.assert_allclose(scale.value, np.sum(mean * shape_only) / np.sum(shape_only**2), rtol=0.1)


def test_a_learned_baseline_is_trained_by_its_own_loss():
    """A line through the data, computed inside of the objective from what comes before the choice."""

    def line(weights, x):
        return weights[0] + weights[1] * x

    @vipl.program
    def guide(logits, x, weights):
        baseline = line(weights, x)
        with vipl.plate("n", 3):
            vipl.sample("z", dist.Bernoulli(logits=logits), estimator=estimators.ScoreFunction(baseline))

    @vipl.expectation
    def objective(logits, weights):
        return jnp.sum(jnp.exp(vipl.simulate(guide(logits, X, weights))["z"] * X))

    start = jnp.zeros(2)
    assert not np.any(jax.grad(objective, argnums=2)(jax.random.key(0), LOGITS, start + 1.0))
    optimizer = optax.adam(0.05)

    def step(carry, key):
        weights, state = carry
        _, credits = objective.value_and_credits(key, LOGITS, weights)
        loss = lambda w: estimators.regression_loss(line(w, X), credits["z"])  # noqa: E731
        updates, state = optimizer.update(jax.grad(loss)(weights), state)
        return (optax.apply_updates(weights, updates), state), None

    keys = jax.random.split(jax.random.key(2), 1_500)
    (weights, _), _ = jax.jit(lambda keys: lax.scan(step, (start, optimizer.init(start)), keys))(keys)
    trained, untrained = gradients(objective, LOGITS, weights), gradients(objective, LOGITS, start)
    assert_unbiased(trained, EXACT, resolution=0.1)
    assert float(jnp.var(trained, axis=0).sum()) < 0.3 * float(jnp.var(untrained, axis=0).sum())


def test_a_function_of_the_distribution_may_use_what_was_sampled_before():
    @vipl.expectation
    def objective(logits):
        with vipl.plate("n", 3):
            first = vipl.sample("first", dist.Bernoulli(logits=logits), estimator=estimators.ScoreFunction())
            baseline = estimators.ScoreFunction(lambda d: d.probs + 2.0 * first)
            second = vipl.sample("second", dist.Bernoulli(0.3 + 0.4 * first), estimator=baseline)
        return jnp.sum(jnp.exp(1.0 * first * second + X * second))

    def exact(logits):
        p = jax.nn.sigmoid(logits)
        heads, tails = 0.3 + 0.7 * jnp.exp(1 + X), 0.7 + 0.3 * jnp.exp(X)
        return jnp.sum(p * heads + (1 - p) * tails)

    assert_unbiased(gradients(objective, LOGITS), jax.grad(exact)(LOGITS), resolution=0.2)


def test_unknown_name_of_a_baseline():
    with pytest.raises(ValueError, match="leave_one_out"):
        estimators.ScoreFunction("loo")


def test_auto_compares_the_samples():
    explained = cost.with_estimators({"z": estimators.Auto(max_size=1)}).explain(LOGITS, X, None)
    assert explained.choices[0].estimator == "ScoreFunction(baseline='leave_one_out')"
