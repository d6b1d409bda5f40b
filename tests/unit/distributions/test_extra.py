"""The distributions vipl adds: densities, moments, draws at the ends of the float range, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats
from helpers import assert_unbiased

import vipl.distributions as dist
from vipl.distributions.base_noise import draw, noise_of
from vipl.distributions.finite import log_prob_table, num_support_points, support_points
from vipl.distributions.log_prob import log_prob
from vipl.distributions.support import describe_constraint, first_violation, is_within

PROBS = np.array([[0.2, 0.3, 0.5], [0.6, 0.0, 0.4]])


@pytest.mark.parametrize("build", [dist.OneHotCategorical, lambda probs: dist.RelaxedOneHotCategorical(0.5, probs)])
def test_parameters_are_probabilities_or_logits(build):
    np.testing.assert_allclose(build(PROBS[0]).probs, PROBS[0], rtol=1e-6)
    family = dist.OneHotCategorical if build is dist.OneHotCategorical else lambda **p: build(p.get("probs"))
    with pytest.raises(ValueError, match="one of probs and logits"):
        family()
    with pytest.raises(ValueError, match="categories on its last axis"):
        build(0.5)


def test_the_values_of_a_one_hot_category():
    d = dist.OneHotCategorical(PROBS)
    assert d.batch_shape == (2,)
    assert d.event_shape == (3,)
    assert d.enumerate_support(expand=False).shape == (3, 1, 3)
    np.testing.assert_array_equal(d.enumerate_support()[:, 1], np.eye(3))
    for wrapped in (d, d.expand([4, 2]), d.mask(np.array([True, False]))):
        np.testing.assert_array_equal(support_points(wrapped), np.eye(3))
    assert num_support_points(d.to_event(1)) is None
    np.testing.assert_allclose(jnp.exp(log_prob_table(dist.OneHotCategorical(PROBS[:1]).expand([5]))[:, 4]), PROBS[0])
    np.testing.assert_allclose(d.mean, PROBS, rtol=1e-6)
    np.testing.assert_allclose(d.variance, PROBS * (1 - PROBS), rtol=1e-6)
    np.testing.assert_allclose(d.entropy(), dist.Categorical(PROBS).entropy(), rtol=1e-6)


def test_the_support_of_a_one_hot_category():
    support = dist.OneHotCategorical(PROBS).support
    assert describe_constraint(support) == "one-hot vectors"
    assert is_within(support, dist.constraints.multinomial(1))
    assert is_within(support, dist.constraints.multinomial(2)) is False
    assert is_within(support, dist.constraints.simplex) is False
    assert first_violation(support, np.array([[0, 1, 0], [0, 1, 1]])) == (1,)
    assert first_violation(support, np.array([0.0, 1.0, 0.0])) is None


@pytest.mark.parametrize("kind", ["probs", "logits"])
def test_log_probabilities_and_their_gradients(kind):
    parameter = PROBS[1] if kind == "probs" else np.array([0.3, -40.0, 1.0])
    probs = PROBS[1] if kind == "probs" else np.asarray(jax.nn.softmax(parameter))
    for k in range(3):
        value = jnp.eye(3)[k]
        found, gradient = jax.value_and_grad(lambda p: log_prob(dist.OneHotCategorical(**{kind: p}), value))(parameter)  # noqa: B023
        assert found == -np.inf if probs[k] == 0 else np.isclose(found, np.log(probs[k]))
        if kind == "probs":
            expected = np.eye(3)[k] / probs[k] if probs[k] else np.zeros(3)
        else:
            expected = np.eye(3)[k] - probs
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


def test_impossible_one_hot_categories_are_never_drawn(key):
    values = draw(dist.OneHotCategorical(PROBS[1]).expand([2000]), key)[0]
    assert values.dtype == jnp.result_type(int)
    assert np.all(values.sum(-1) == 1)
    assert np.all(values[:, 1] == 0)
    np.testing.assert_allclose(values.mean(0), PROBS[1], atol=0.05)
    same = dist.OneHotCategorical(PROBS[1]).sample(key, (2000,))
    np.testing.assert_allclose(same.mean(0), PROBS[1], atol=0.05)


def concrete(x, alpha, temperature):
    """Return eq. 10 of Maddison et al. 2017, as it stands there."""
    n = len(alpha)
    numerator = np.prod(alpha * x ** (-temperature - 1), axis=-1)
    return sp.factorial(n - 1) * temperature ** (n - 1) * numerator / np.sum(alpha * x**-temperature, axis=-1) ** n


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_density_of_a_relaxed_category(temperature, x64):
    alpha = np.array([0.5, 2.0, 1.0])
    d = dist.RelaxedOneHotCategorical(temperature, logits=jnp.log(alpha) + 3.0)
    x = np.random.default_rng(0).dirichlet([1, 1, 1], size=20)
    np.testing.assert_allclose(jnp.exp(log_prob(d, x)), concrete(x, alpha, temperature), rtol=1e-10)
    # over the simplex, in the coordinates log(x1/x3), log(x2/x3), where d(x1 x2) = x1 x2 x3
    axis = np.linspace(-60, 60, 801)
    z = np.stack(np.broadcast_arrays(axis[:, None], axis, 0.0), -1)
    log_x = np.asarray(jax.nn.log_softmax(z))
    total = np.sum(np.exp(log_prob(d, np.exp(log_x)) + log_x.sum(-1))) * (axis[1] - axis[0]) ** 2
    assert abs(total - 1) < 1e-6


@pytest.mark.parametrize("temperature", [0.001, 0.1, 0.5])
def test_relaxed_draws_stay_inside(temperature, key):
    logits = jnp.array([-8.0, 0.0, 5.0, 30.0])

    def total(logits, temperature):
        value, density = draw(dist.RelaxedOneHotCategorical(temperature, logits=logits).expand([3000]), key)
        return jnp.sum(density) + jnp.sum(jnp.log(value)), (value, density)

    gradients, (value, density) = jax.grad(total, argnums=(0, 1), has_aux=True)(logits, temperature)
    assert value.min() > 0
    assert value.max() < 1
    assert np.abs(value.sum(-1) - 1).max() < 1e-6
    assert first_violation(dist.constraints.simplex, value) is None
    assert all(np.all(np.isfinite(x)) for x in (density, *gradients))


def test_the_largest_entry_of_a_relaxed_category_has_its_law(key):
    d = dist.RelaxedOneHotCategorical(0.3, PROBS[0]).expand([20_000])
    assert noise_of(d).kind == "uniform"
    counts = np.bincount(np.argmax(draw(d, key)[0], -1), minlength=3)
    assert scipy.stats.chisquare(counts, 20_000 * PROBS[0]).pvalue > 1e-4


def test_a_log_derivative_survives_an_entry_too_small_to_hold(key):
    # the second log entry is (logit + noise) / temperature less that of the first: its derivative is 1 / temperature
    derivative = jax.grad(lambda x: jnp.log(draw(dist.RelaxedOneHotCategorical(0.05, logits=x), key)[0][1]))(
        jnp.array([20.0, 0.0])
    )
    np.testing.assert_allclose(derivative, [-20.0, 20.0], rtol=1e-4)


def log_cdf(a, y):
    """Return log P(Y < y) of the log of a gamma variable, by its series, in float64."""
    x = np.exp(y)
    total = term = np.ones_like(x)
    for k in range(1, 300):
        term = term * x / (a + k)
        total = total + term
    return a * y - sp.gammaln(a + 1) - x + np.log(total)


def quantile(a, log_u):
    """Return the quantile of the log of a gamma variable, by bisection."""
    low, high = np.full_like(log_u, -1e5), np.full_like(log_u, 5.0)
    for _ in range(100):
        middle = (low + high) / 2
        below = log_cdf(a, middle) < log_u
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def slopes(a, y, derivative):
    return np.asarray(jax.vmap(lambda y: derivative(jnp.float32(a), y))(jnp.asarray(y, jnp.float32)))


@pytest.mark.parametrize("a", [0.01, 0.5, 3.0])
def test_the_derivative_of_a_log_gamma_draw_is_that_of_its_quantile(a):
    from vipl.distributions.extra.log_gamma import log_gamma_slope

    log_u, step = np.log(np.linspace(0.002, 0.998, 200)), 1e-4 * a
    exact = (quantile(a + step, log_u) - quantile(a - step, log_u)) / (2 * step)
    np.testing.assert_allclose(slopes(a, quantile(a, log_u), log_gamma_slope), exact, rtol=1e-5)


def test_jaxs_own_derivative_would_be_wrong(key):
    own = jax.vmap(jax.grad(lambda a, k: jax.random.loggamma(k, a)), in_axes=(None, 0))
    assert abs(np.mean(own(0.01, jax.random.split(key, 2000))) / sp.polygamma(1, 0.01) - 1) > 0.3


@pytest.mark.parametrize("a", [0.01, 0.5, 3.0])
def test_moments_of_a_log_gamma_and_the_mean_of_its_derivative(a, key):
    def value(a, rate, key):
        return draw(dist.LogGamma(a, rate), key)[0]

    draws, derivatives = jax.vmap(jax.value_and_grad(value, argnums=(0, 1)), in_axes=(None, None, 0))(
        a, 2.0, jax.random.split(key, 20_000)
    )
    d, spread = dist.LogGamma(a, 2.0), np.sqrt(sp.polygamma(1, a))
    np.testing.assert_allclose(d.mean, sp.digamma(a) - np.log(2.0), rtol=1e-5)
    np.testing.assert_allclose(d.variance, sp.polygamma(1, a), rtol=1e-4)
    assert_unbiased(draws, d.mean, resolution=0.05 * spread)
    assert_unbiased(derivatives, (sp.polygamma(1, a), -0.5), resolution=0.1 * sp.polygamma(1, a))


@pytest.mark.parametrize("y", [-1e6, -200.0, 90.0, 1e4])
def test_log_gamma_is_finite_far_out(y):
    density, gradients = jax.value_and_grad(lambda *p: log_prob(dist.LogGamma(*p[:2]), p[2]), argnums=(0, 1, 2))(
        0.5, 2.0, y
    )
    assert np.isfinite(density)
    assert np.all(np.isfinite(gradients))
    if y < 0:
        np.testing.assert_allclose(density, 0.5 * (y + np.log(2.0)) - sp.gammaln(0.5), rtol=1e-6)
        np.testing.assert_allclose(gradients[2], 0.5, rtol=1e-6)
    else:
        assert density < -1e30
        assert gradients[2] < -1e30


def test_a_log_gamma_prior_and_a_gamma_prior_are_one_law(x64):
    x = np.array([0.1, 1.0, 3.0])
    np.testing.assert_allclose(
        log_prob(dist.LogGamma(1.5, 0.8), np.log(x)), log_prob(dist.Gamma(1.5, 0.8), x) + np.log(x), rtol=1e-10
    )
    np.testing.assert_allclose(
        dist.LogGamma(1.5, 0.8).cdf(np.log(x)), scipy.stats.gamma(1.5, scale=1 / 0.8).cdf(x), rtol=1e-8
    )


@pytest.mark.parametrize("a", [0.05, 2.0])
@pytest.mark.parametrize("second", [jax.hessian, lambda f: jax.grad(jax.grad(f))])
def test_the_second_derivative_in_the_concentration(a, second, key, x64):
    value = jax.jit(lambda a: draw(dist.LogGamma(a, 1.0), key)[0])
    log_u, step = np.array([log_cdf(a, float(value(a)))]), 1e-3 * a
    below, here, above = (quantile(a + by, log_u)[0] for by in (-step, 0.0, step))
    np.testing.assert_allclose(jax.jit(second(value))(a), (above - 2 * here + below) / step**2, rtol=1e-4)
