"""Draws made of noise and a transport: shapes, types, densities, edges, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from distribution_registry import CASES
from provenance.checking import QUICK

import vipl.distributions as dist
from vipl.distributions.base_noise import Noise, draw, draw_noise, noise_of, transport
from vipl.distributions.log_prob import log_prob
from vipl.distributions.validation import unvalidated, validation_off

# NumPyro adds the density of components outside their support; `test_log_prob` has exact values for these
COUNTED_TWICE = ("FoldedDistribution-narrow", "MixtureGeneral-narrow")
SAMPLED = [name for name, case in CASES.items() if case.samples]


def jitted(case, function):
    """Compile `function(distribution, *more)` with the parameters of a case as arguments."""
    parameters = tuple(jnp.asarray(p, jnp.float32) for p in case.parameters)
    compiled = jax.jit(lambda p, *more: function(case.build(*p), *more), compiler_options=QUICK)
    return lambda *more: compiled(parameters, *more)


@pytest.mark.parametrize("name", SAMPLED)
def test_draw_looks_like_a_sample_and_knows_its_density(name, key):
    case = CASES[name]

    def all_three(d, key):
        value, density = draw(d, key)
        theirs = log_prob(d, value) if name in COUNTED_TWICE else unvalidated(d).log_prob(value)
        return value, density, log_prob(d, value), theirs

    with validation_off():
        d = case.make()
        value, density, ours, theirs = jitted(case, all_three)(key)
        like = jax.eval_shape(lambda key: jnp.asarray(case.make().sample(key)), key)
    assert value.shape == like.shape == d.batch_shape + d.event_shape
    assert value.dtype == like.dtype
    assert density.shape == ours.shape == d.batch_shape
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(density, theirs, rtol=2e-4, atol=2e-4)


def test_noise_depends_on_shapes_alone_and_is_hashable():
    normal = dist.Normal(np.zeros((2, 1)), 1.0)
    assert noise_of(normal) == Noise("normal", (2, 1), np.dtype("float32"))
    assert noise_of(normal.expand([2, 3]).to_event(1)) == Noise("normal", (2, 3), np.dtype("float32"))
    assert noise_of(dist.LogNormal(np.zeros(4), 1.0)).shape == (4,)
    assert noise_of(dist.MultivariateNormal(np.zeros((5, 3)), np.eye(3))).shape == (5, 3)
    assert noise_of(dist.ZeroSumNormal(1.0, (4,))).shape == (3,)
    assert noise_of(dist.Gamma(1.0, 1.0).expand([7])) == Noise("key", (), np.dtype("float32"))
    assert noise_of(dist.Delta(1.0)).kind == "none"
    assert len({noise_of(normal), noise_of(dist.Normal(np.ones((2, 1)), 2.0))}) == 1


def test_double_precision(x64, key):
    assert noise_of(dist.Normal(0.0, 1.0)).dtype == np.float64
    assert draw(dist.Exponential(1.0), key)[0].dtype == np.float64


@pytest.mark.parametrize(
    "build",
    [
        lambda: dist.Exponential(1.0).expand([40]),
        lambda: dist.Gamma(2.0, 1.0).expand([40]),
        lambda: dist.Gamma(np.ones((1, 2)), 1.0).expand([20, 2]),
        lambda: dist.InverseGamma(2.0, 1.0).expand([40]).to_event(1),
        lambda: dist.Dirichlet(np.ones(3)).expand([15]),
        lambda: dist.TransformedDistribution(dist.Gamma(2.0, 1.0).expand([40]), dist.transforms.ExpTransform()),
    ],
)
def test_expanded_elements_are_drawn_independently(build, key):
    value = np.asarray(draw(build(), key)[0])
    assert np.unique(value).size == value.size


EDGY = {
    "Gamma": lambda: dist.Gamma(0.01, 1.0),
    "Chi2": lambda: dist.Chi2(0.02),
    "InverseGamma": lambda: dist.InverseGamma(0.01, 1.0),
    "Beta": lambda: dist.Beta(0.01, 0.01),
    "Dirichlet": lambda: dist.Dirichlet(np.full(3, 0.01)),
    "Weibull": lambda: dist.Weibull(1.0, 0.02),
    "Kumaraswamy": lambda: dist.Kumaraswamy(0.02, 0.02),
    "LogNormal": lambda: dist.LogNormal(0.0, 200.0),
    "sigmoid": lambda: dist.TransformedDistribution(dist.Normal(0.0, 200.0), dist.transforms.SigmoidTransform()),
    "Pareto": lambda: dist.Pareto(3.0, 1e7),
    "HalfCauchy": lambda: dist.HalfCauchy(1e-30),
}


@pytest.mark.parametrize("name", EDGY)
def test_draws_never_land_on_an_edge(name, key):
    d = EDGY[name]().expand([2000])
    value, density = draw(d, key)
    assert np.all(np.isfinite(density)), "the density of the draw itself"
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(log_prob(d, value))), "the density computed from the value"


def test_the_sampler_alone_does_land_on_the_edge(key):
    value = dist.Gamma(0.01, 1.0).sample(key, (2000,))
    assert np.mean(value == 0) > 0.2


@pytest.mark.parametrize("u", [0.0, 1 - 2**-23, 1 - 2**-24])
@pytest.mark.parametrize(
    "family",
    [dist.Exponential, dist.Laplace, dist.Logistic, dist.Gumbel, dist.Cauchy, dist.HalfCauchy, dist.Weibull],
)
def test_extreme_uniforms_stay_finite(family, u):
    d = family(1.0) if family in (dist.Exponential, dist.HalfCauchy) else family(1.0, 2.0)
    value, density = transport(d, jnp.float32(u))
    assert np.isfinite(value)
    assert np.isfinite(density)


def test_impossible_categories_are_never_drawn():
    probs = np.array([0.0, 0.3, 0.7, 0.0], np.float32)
    top = np.float32(1 - 2**-24)
    for u in (np.float32(0), top):
        assert 0 < transport(dist.Categorical(probs=probs), u)[0] < 3


PATHWISE = {
    "Normal": lambda p: dist.Normal(p[0], p[1]),
    "HalfNormal": lambda p: dist.HalfNormal(p[1]),
    "LogNormal": lambda p: dist.LogNormal(p[0], p[1]),
    "Uniform": lambda p: dist.Uniform(p[0], p[0] + p[1]),
    "Exponential": lambda p: dist.Exponential(p[1]),
    "Laplace": lambda p: dist.Laplace(p[0], p[1]),
    "Logistic": lambda p: dist.Logistic(p[0], p[1]),
    "Gumbel": lambda p: dist.Gumbel(p[0], p[1]),
    "Cauchy": lambda p: dist.Cauchy(p[0], p[1]),
    "HalfCauchy": lambda p: dist.HalfCauchy(p[1]),
    "Weibull": lambda p: dist.Weibull(p[1], 1.0 + p[0] ** 2),
    "Gompertz": lambda p: dist.Gompertz(1.0 + p[0] ** 2, p[1]),
    "Pareto": lambda p: dist.Pareto(p[1], 1.0 + p[0] ** 2),
    "TruncatedNormal": lambda p: dist.TruncatedNormal(p[0], p[1], low=-1.0),
}


@pytest.mark.parametrize("name", PATHWISE)
def test_derivative_of_the_value_is_the_implicit_one(name, x64, key):
    # in one dimension the pathwise derivative is unique: -dF/dp over the density
    build, parameters = PATHWISE[name], jnp.array([0.3, 1.7])

    @jax.jit
    def derivatives(parameters):
        noise = draw_noise(noise_of(build(parameters)), key)
        value, density = transport(build(parameters), noise)
        ours = jax.jacobian(lambda p: transport(build(p), noise)[0])(parameters)
        total = jax.jacobian(lambda p: transport(build(p), noise)[1])(parameters)
        moved = jax.jacobian(lambda p, x: build(p).cdf(x))(parameters, value)
        direct, slope = jax.jacobian(lambda p, x: log_prob(build(p), x), argnums=(0, 1))(parameters, value)
        return ours, -moved / jnp.exp(density), total, direct + slope * ours

    with validation_off():
        ours, exact, total, chain = derivatives(parameters)
    np.testing.assert_allclose(ours, exact, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(total, chain, rtol=1e-6, atol=1e-9)
    assert np.any(np.abs(np.asarray(ours)) > 1e-3)


@pytest.mark.parametrize(
    "build",
    [
        lambda p: dist.MixtureSameFamily(dist.Categorical(logits=jnp.zeros(2)), dist.Normal(p * jnp.ones(2), 1.0)),
        lambda p: dist.MixtureGeneral(dist.Categorical(logits=jnp.zeros(2)), [dist.Normal(p, 1.0)] * 2),
        lambda p: dist.VonMises(p, p),
        lambda p: dist.TransformedDistribution(dist.VonMises(p, p), dist.transforms.AffineTransform(p, 2.0)),
    ],
)
def test_without_a_differentiable_sampler_the_value_is_constant(build, key):
    with validation_off():
        derivative = jax.grad(lambda p: draw(build(p), key)[0])(0.7)
        # and the density's derivative is then that at a fixed value
        value = draw(build(0.7), key)[0]
        ours = jax.grad(lambda p: draw(build(p), key)[1])(0.7)
        exact = jax.grad(lambda p: log_prob(build(p), value))(0.7)
    assert derivative == 0
    np.testing.assert_allclose(ours, exact, rtol=1e-5)
    assert abs(exact) > 1e-3


@pytest.mark.parametrize("name", ["MultivariateNormal", "LowRankMultivariateNormal", "ZeroSumNormal", "InverseGamma"])
def test_total_derivative_of_the_density(name, x64, key):
    """The density returned is that of the value as it moves: the chain rule through the value holds."""
    case = CASES[name]
    with validation_off():
        noise = draw_noise(noise_of(case.make()), key)
        parameters = tuple(jnp.asarray(p) for p in case.parameters)
        ours = jax.jit(jax.grad(lambda p: jnp.sum(transport(case.build(*p), noise)[1])))(parameters)
        through = lambda p: jnp.sum(log_prob(case.build(*p), transport(case.build(*p), noise)[0]))  # noqa: E731
        exact = jax.jit(jax.grad(through))(parameters)
    for left, right in zip(ours, exact, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)


def test_masked_draws_have_no_density(key):
    mask = np.array([True, False])
    for d in (dist.Normal(np.zeros(2), 1.0), dist.LogNormal(np.zeros(2), 1.0), dist.Gamma(np.ones(2), 1.0)):
        value, density = draw(d.mask(mask), key)
        assert value.shape == (2,)
        assert density[0] != 0
        assert density[1] == 0


def test_affine_with_a_negative_traced_scale_is_not_clipped(key):
    def value(scale):
        transform = dist.transforms.AffineTransform(1.0, scale, domain=dist.constraints.positive)
        return draw(dist.TransformedDistribution(dist.HalfNormal(1.0), transform), key)[0]

    with validation_off():
        assert jax.jit(value)(-2.0) < 1.0


def test_under_vmap(key):
    def sample(scale, key):
        return draw(dist.LogNormal(0.0, scale), key)

    scales, keys = jnp.array([0.5, 1.0, 2.0]), jax.random.split(key, 3)
    with validation_off():
        together = jax.vmap(sample)(scales, keys)
        apart = [sample(s, k) for s, k in zip(scales, keys, strict=True)]
    np.testing.assert_allclose(together[0], [value for value, _ in apart], rtol=1e-6)
    np.testing.assert_allclose(together[1], [density for _, density in apart], rtol=1e-5)
