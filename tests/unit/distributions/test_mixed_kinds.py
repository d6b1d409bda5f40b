"""Distributions that are mixtures of kinds: an atom at zero, a component by chance, an observation that is censored."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.distributions.base_noise import draw

HURDLES = [
    lambda gate: dist.HurdleProbs(dist.Exponential(2.0), gate),
    lambda gate: dist.HurdleLogits(dist.LogNormal(0.3, 0.5), gate_logits=jnp.log(gate) - jnp.log1p(-gate)),
    lambda gate: dist.HurdleGamma(gate, 2.0, 1.5),
    lambda gate: dist.HurdleLogNormal(gate, 0.0, 1.0),
]


@pytest.mark.parametrize("hurdle", HURDLES)
def test_zeros_of_a_hurdle_are_zeros_and_weigh_what_the_gate_says(hurdle):
    gate = jnp.float32(0.3)
    value, density = jax.jit(jax.vmap(lambda key: draw(hurdle(gate), key)))(jax.random.split(jax.random.key(1), 4000))
    zero = value == 0
    assert abs(float(zero.mean()) - 0.3) < 4.5 * (0.3 * 0.7 / 4000) ** 0.5
    np.testing.assert_allclose(density[zero], np.log(0.3), rtol=1e-6)
    assert np.all(value[~zero] > 1e-6)  # and never beside it


def test_zero_is_a_value_that_a_hurdle_may_be_seen_to_have():
    @vipl.program
    def model(gate):
        with vipl.plate("n", 2):
            vipl.sample("y", dist.HurdleProbs(dist.Exponential(2.0), gate), obs=jnp.array([0.0, 1.0]))

    due = np.log(0.3) + np.log(0.7) + np.log(2.0) - 2.0
    np.testing.assert_allclose(vipl.log_density(model(0.3), {}), due, rtol=1e-5)


def test_gradient_of_a_hurdles_mean_in_its_gate():
    @vipl.expectation
    def mean(gate):
        return vipl.sample("x", dist.HurdleProbs(dist.Exponential(2.0), gate)) ** 2

    grads = jax.jit(jax.vmap(jax.grad(mean, argnums=1), (0, None)))(jax.random.split(jax.random.key(2), 4000), 0.3)
    assert abs(float(grads.mean()) + 0.5) < 4.5 * float(grads.std()) / 4000**0.5  # E x² = 2/2² (1 − gate)


MIXING = dist.Categorical(probs=np.array([0.4, 0.6]))
MOVING = {
    "mixture": lambda high: dist.MixtureGeneral(MIXING, [dist.Uniform(0.0, high), dist.Uniform(0.0, 1.0)]),
    "folded": lambda high: dist.FoldedDistribution(dist.Uniform(-high, high)),
    "shifted": lambda loc: dist.TransformedDistribution(
        dist.Exponential(1.0), dist.transforms.AffineTransform(loc, 1.0)
    ),
}


@pytest.mark.parametrize("moving", MOVING.values(), ids=MOVING)
def test_edges_inside_that_move_have_no_score(moving):
    @vipl.expectation(estimators={"x": estimators.ScoreFunction()})
    def objective(edge):
        return vipl.sample("x", moving(edge)) ** 2

    with pytest.raises(vipl.EstimatorError, match="'x'.*support moves"):
        jax.grad(objective, argnums=1)(jax.random.key(0), 1.5)


def test_scaled_positive_support_stays():
    @vipl.expectation(estimators={"x": estimators.ScoreFunction()})
    def objective(scale):
        positive = dist.TransformedDistribution(dist.Exponential(1.0), dist.transforms.AffineTransform(0.0, scale))
        return vipl.sample("x", positive)

    grads = jax.jit(jax.vmap(jax.grad(objective, argnums=1), (0, None)))(
        jax.random.split(jax.random.key(3), 20_000), 1.5
    )
    assert abs(float(grads.mean()) - 1.0) < 4.5 * float(grads.std()) / 20_000**0.5


CENSORED = {
    "left": lambda rate: dist.LeftCensoredDistribution(dist.Exponential(rate), jnp.array(1)),
    "right": lambda rate: dist.RightCensoredDistribution(dist.Exponential(rate), jnp.array(1)),
    "in a plate": lambda rate: dist.RightCensoredDistribution(dist.Exponential(rate), jnp.array([0, 1])).to_event(1),
}


@pytest.mark.parametrize("censored", CENSORED.values(), ids=CENSORED)
def test_censored_choice_is_refused(censored):
    @vipl.expectation
    def objective(rate):
        return jnp.sum(vipl.sample("x", censored(rate)))

    with pytest.raises(vipl.EstimatorError, match="'x'.*density is that of an observation"):
        jax.grad(objective, argnums=1)(jax.random.key(0), 1.5)


def test_censored_observation_is_fine():
    @vipl.program
    def model(rate):
        vipl.sample("y", dist.RightCensoredDistribution(dist.Exponential(rate), jnp.array(1)), obs=2.0)

    value, slope = jax.value_and_grad(lambda rate: vipl.log_density(model(rate), {}))(1.5)
    np.testing.assert_allclose([value, slope], [-3.0, -2.0], rtol=1e-5)
