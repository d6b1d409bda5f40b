"""The judgement of the matrix catches estimators and interpreters that are wrong on purpose."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from helpers import LONG
from jax import lax
from matrix.cells import Cell, run
from matrix.context import SCALES, stacked
from matrix.contexts import CONTEXTS
from matrix.judgement import RIGHT, WRONG, judge
from zoo import FAMILIES

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.distributions.base_noise import draw
from vipl.estimators import WeightedSamples
from vipl.transform.evaluation import choose, weights

pytestmark = [pytest.mark.statistical, pytest.mark.slow, pytest.mark.usefixtures("x64")]


def verdict_on(estimator, family, context, program=None):
    return run(Cell(type(estimator).__name__, estimator, FAMILIES[family], CONTEXTS[context], True), program=program)


class ScaledScore(estimators.ScoreFunction):
    """The score term times a factor: too much, dropped, or with its sign flipped."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        return dataclasses.replace(samples, log_weights=self.factor * samples.log_weights)


@pytest.mark.parametrize("factor", [1.02 if LONG else 1.1, 0.0, -1.0])
@pytest.mark.parametrize(("family", "context"), [("bernoulli", "product_across_plate"), ("normal", "scan")])
def test_scaled_score(factor, family, context):
    assert verdict_on(ScaledScore(factor), family, context).word == WRONG


def test_the_unscaled_score_is_right():
    assert verdict_on(ScaledScore(1.0), "bernoulli", "product_across_plate").word == RIGHT


class ScaledMean(estimators.LeaveOneOut):
    """Leave-one-out that divides by K in place of K − 1."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        count = self.num_samples
        excess = (samples.weights - 1 / count) * (count - 1) / count
        return dataclasses.replace(samples, weights=1 / count + excess)


def test_leave_one_out_divided_by_too_much():
    assert verdict_on(ScaledMean(3), "poisson", "scalar").word == WRONG


class HalfMeasure(estimators.MeasureValued):
    """The negative parts are left out."""

    def weigh(self, key, distribution, joint_axes):
        samples = super().weigh(key, distribution, joint_axes)
        return WeightedSamples(samples.values[:2], samples.weights[:2])


def test_half_a_measure():
    assert verdict_on(HalfMeasure(), "poisson", "plate").word == WRONG


class FrozenKey(estimators.ScoreFunction):
    """The same draw whatever the key."""

    pooled = False

    def weigh(self, key, distribution, joint_axes):
        value = lax.stop_gradient(draw(distribution, jax.random.key(1))[0])
        density = distribution.log_prob(value)
        return WeightedSamples(value[None], None, (density - lax.stop_gradient(density))[None])


@pytest.mark.parametrize(("family", "context"), [("bernoulli", "scalar"), ("normal", "nested_jit")])
def test_frozen_key(family, context):
    assert verdict_on(FrozenKey(), family, context).word == WRONG


def test_missing_jacobian(monkeypatch):
    """A log-normal whose draws lack the derivative of exp."""

    def transport_value(distribution, noise):
        value = true(distribution, noise)
        base = jnp.log(value)
        return lax.stop_gradient(value - base) + base

    true = choose.transport_value
    monkeypatch.setattr(choose, "transport_value", transport_value)
    assert verdict_on(estimators.Reparam(), "log_normal", "scalar").word == WRONG


@pytest.mark.parametrize("context", ["after_another_choice", "nested_program", "second_derivative"])
def test_credit_for_one_cost_too_few(monkeypatch, context):
    """The later of two choices is all that a cost is credited to."""

    def contract(term, *rest):
        last = dict(list(term.dependence.items())[-1:])
        return true(dataclasses.replace(term, dependence=last), *rest)

    true = weights._closed
    monkeypatch.setattr(weights, "_closed", contract)
    assert verdict_on(estimators.ScoreFunction(), "poisson", context).word == WRONG


def test_credit_in_scan_without_the_last_step(monkeypatch):
    """Causal credit that starts at the next step."""

    def place(term, choice, weight):
        placed = true(term, choice, weight)
        causal = any(entry is not weights.JOINT and entry.causal for entry in term.dependence[choice])
        return jnp.roll(placed, 1, axis=-1).at[..., 0].set(0.0) if causal else placed

    true = weights._place
    monkeypatch.setattr(weights, "_place", place)
    assert verdict_on(estimators.ScoreFunction(), "bernoulli", "scan").word == WRONG


def test_lost_plate_scale():
    """A subsampled plate whose cost is not scaled up; the same plate scaled is right."""
    theta = jnp.array(FAMILIES["bernoulli"].theta)
    data = jnp.array([0.3, -1.2, 0.7, 2.0])

    @vipl.program
    def model(theta):
        with vipl.plate("n", 4, subsample_size=2) as index:
            u = vipl.sample("x", dist.Bernoulli(stacked(theta)[index % 3, 0]), estimator=estimators.ScoreFunction())
            vipl.sample("y", dist.Normal(u * 1.5, 1.0), obs=data[index])

    def objective(factor):
        # The density of the trace holds the choices' own log probabilities, scaled as the plate's are.
        @vipl.expectation
        def density(theta):
            trace = vipl.simulate(model(theta))
            return factor * vipl.log_density(model(theta), trace)

        return density

    def exact(theta):
        chances = theta[0] * jnp.array([SCALES[i % 3] for i in range(4)])

        def element(chance, y):
            hit, miss = (-0.5 * (y - m) ** 2 - 0.5 * jnp.log(2 * jnp.pi) for m in (1.5, 0.0))
            return chance * (hit + jnp.log(chance)) + (1 - chance) * (miss + jnp.log1p(-chance))

        return jnp.sum(jax.vmap(element)(chances, data))

    answer = jnp.concatenate([exact(theta)[None], jax.grad(exact)(theta)])

    def verdict(factor):
        def estimate(key):
            value, gradient = jax.value_and_grad(objective(factor), argnums=1)(key, theta)
            return jnp.concatenate([value[None], gradient])

        return judge(estimate, answer, resolution=0.1 * jnp.abs(answer)).word

    assert verdict(1.0) == RIGHT
    assert verdict(0.5) == WRONG
