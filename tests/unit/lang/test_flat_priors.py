"""Improper priors as latent sites: a density that is 0 on the support, no draws, and posteriors that are exact.

Exact posteriors make every importance weight the same number, the log evidence of the flat prior, known by algebra.
"""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import biject_to
from scipy.special import gammaln

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.objectives import elbo

pytestmark = pytest.mark.usefixtures("quick_compilation")

C = dist.constraints
# A support, the shape of its events, a value inside and one outside (None: there is none).
SUPPORTS = {
    "real": (C.real, (2,), [3.0, -4.0], None),
    "positive": (C.positive, (2,), [3.0, 4.0], [3.0, -4.0]),
    "less_than": (C.less_than(1.0), (), 0.5, 1.5),
    "unit_interval": (C.unit_interval, (), 0.5, 1.5),
    "interval": (C.interval(-1.0, 2.0), (2,), [-0.5, 1.5], [-0.5, 2.5]),
    "simplex": (C.simplex, (3,), [0.2, 0.3, 0.5], [0.2, 0.3, 0.6]),
    "ordered_vector": (C.ordered_vector, (3,), [-1.0, 0.0, 2.0], [0.0, -1.0, 2.0]),
    "positive_ordered_vector": (C.positive_ordered_vector, (3,), [1.0, 2.0, 3.0], [1.0, 3.0, 2.0]),
    "lower_cholesky": (C.lower_cholesky, (2, 2), [[1.0, 0.0], [-3.0, 2.0]], [[1.0, 0.0], [-3.0, -2.0]]),
    "corr_cholesky": (C.corr_cholesky, (2, 2), [[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.8, 0.8]]),
    "positive_definite": (C.positive_definite, (2, 2), [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]),
    "corr_matrix": (C.corr_matrix, (2, 2), [[1.0, 0.6], [0.6, 1.0]], [[2.0, 0.6], [0.6, 1.0]]),
    "l1_ball": (C.l1_ball, (2,), [0.5, -0.4], [0.9, -0.4]),
}


@vipl.program
def around(support, shape):
    vipl.sample("x", dist.ImproperUniform(support, (), shape))
    vipl.sample("y", dist.Normal(0.5, 1.0), obs=0.5)


AT_MODE = -0.5 * np.log(2 * np.pi)


@pytest.mark.parametrize("name", SUPPORTS)
def test_the_density_is_zero_inside_and_minus_infinity_outside(name):
    support, shape, inside, outside = SUPPORTS[name]
    density = jax.value_and_grad(lambda x: vipl.log_density(around(support, shape), {"x": x}))
    for value, expected in ((inside, AT_MODE), (outside, -np.inf)) if outside is not None else ((inside, AT_MODE),):
        found, gradient = density(jnp.array(value))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert not np.any(gradient)


@vipl.program
def everywhere():
    """Flat priors in a plate, a scan, a vmap, a program, a mask; each of them positive, each value `x` a factor −x."""
    positive = dist.ImproperUniform(C.positive, (), ())
    with vipl.plate("n", 3):
        plated = vipl.sample("plated", positive)
        rows = vipl.sample("rows", dist.ImproperUniform(C.positive, (), (2,)))
    with vipl.plate("some", 10, subsample_size=2):
        subsampled = vipl.sample("subsampled", positive)
    lanes = vipl.vmap(lambda i: vipl.sample("lanes", positive), axis_size=4)(jnp.arange(4))
    _, steps = jax.lax.scan(lambda carry, _: (carry, vipl.sample("steps", positive)), 0.0, length=5)
    inner = vipl.sample("inner", nested())
    masked = vipl.sample("masked", positive.mask(False))
    moved = dist.TransformedDistribution(positive, dist.transforms.AffineTransform(1.0, 2.0, domain=C.positive))
    moved = vipl.sample("moved", moved)
    count = vipl.sample("count", dist.ImproperUniform(C.nonnegative_integer, (), ()))
    values = (plated, rows, subsampled, lanes, steps, inner, masked, moved, count)
    vipl.factor("sum", -sum(jnp.sum(value) for value in values))


@vipl.program
def nested():
    return vipl.sample("x", dist.ImproperUniform(C.positive, (2,), ()))


SHAPES = {
    "plated": (3,),
    "rows": (3, 2),
    "subsampled": (2,),
    "lanes": (4,),
    "steps": (5,),
    "inner/x": (2,),
    "masked": (),
    "moved": (),
}


def test_flat_priors_wherever_sites_are():
    values = {address: jnp.full(shape, 1.5) for address, shape in SHAPES.items()}
    values |= {"count": 3, "some": jnp.arange(2)}
    number = sum(int(np.prod(shape)) for shape in SHAPES.values())
    expected = -1.5 * number - 3 - np.log(2.0)  # the affine map's Jacobian
    assert vipl.log_density(everywhere(), values) == pytest.approx(expected, rel=1e-6)
    for address in SHAPES.keys() - {"masked"}:
        outside = values | {address: values[address] - 2.0}
        assert vipl.log_density(everywhere(), outside) == -np.inf, address
    assert vipl.log_density(everywhere(), values | {"count": -1}) == -np.inf


def test_the_type_of_a_flat_prior(x64):
    surveyed = {s.statement.address: s.statement for s in everywhere().stage().statements}
    assert surveyed["plated"].dtype == np.float64
    assert surveyed["count"].dtype == np.int64


Y = np.array([0.3, -1.2, 2.2, 0.4, 1.3], np.float32)


@vipl.program
def normal_mean(y):
    mu = vipl.sample("mu", dist.ImproperUniform(C.real, (), ()))
    vipl.deterministic("twice", 2 * mu)
    with vipl.plate("n", len(y)):
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


@vipl.program
def mean_posterior(loc, scale):
    vipl.sample("mu", dist.Normal(loc, scale))


@vipl.program
def normal_scale(y):
    sigma = vipl.sample("sigma", dist.ImproperUniform(C.positive, (), ()))
    with vipl.plate("n", len(y)):
        vipl.sample("y", dist.Normal(0.0, sigma), obs=y)


@vipl.program
def scale_posterior(shape, rate):
    variance = dist.InverseGamma(shape, rate)
    vipl.sample("sigma", dist.TransformedDistribution(variance, dist.transforms.PowerTransform(0.5)))


N = len(Y)
MEAN_EVIDENCE = -0.5 * ((N - 1) * np.log(2 * np.pi) + np.log(N) + np.sum((Y - Y.mean()) ** 2))
SHAPE, RATE = (N - 1) / 2, np.sum(Y**2) / 2
SCALE_EVIDENCE = gammaln(SHAPE) - np.log(2.0) - SHAPE * np.log(RATE) - 0.5 * N * np.log(2 * np.pi)
CONJUGATE = {
    "mean": (normal_mean(Y), mean_posterior(Y.mean(), N**-0.5), MEAN_EVIDENCE),
    "scale": (normal_scale(Y), scale_posterior(SHAPE, RATE), SCALE_EVIDENCE),
}


def worst_distance(name, guide, key):
    """How far estimates of the ELBO are from the log evidence, whatever the draw."""
    model, _, evidence = CONJUGATE[name]
    found = jax.vmap(lambda key: elbo(key, model, guide))(jax.random.split(key, 20))
    return np.max(np.abs(found - evidence))


@pytest.mark.parametrize("name", CONJUGATE)
def test_with_the_exact_posterior_every_estimate_is_the_evidence(name, key):
    assert worst_distance(name, CONJUGATE[name][1], key) < 2e-5


def test_another_posterior_is_rejected(key):
    assert worst_distance("mean", mean_posterior(Y.mean(), 1.1 * N**-0.5), key) > 1e-2
    assert worst_distance("scale", scale_posterior(SHAPE + 0.5, RATE), key) > 1e-2


@vipl.program
def normal_coordinates(jacobian):
    """Every support at once, of which unconstrained coordinates are standard normal: the evidence is 1."""
    for name, (support, shape, *_) in SUPPORTS.items():
        bijection = biject_to(support)
        with vipl.plate(f"of {name}", 2, dim=-1):
            x = vipl.sample(name, dist.ImproperUniform(support, (), shape))
        u = bijection.inv(x)
        vipl.factor(f"{name} prior", jnp.sum(dist.Normal(0.0, 1.0).log_prob(u)))
        vipl.factor(f"{name} jacobian", -jnp.sum(bijection.log_abs_det_jacobian(u, x)) if jacobian else 0.0)


def log_weights(family, model, key):
    """Log weights of a few draws of a guide, as it starts."""
    posterior = vipl.infer(model, family, key=key, num_steps=0, progress=False)
    return jax.vmap(lambda key: elbo(key, model, posterior.guide))(jax.random.split(key, 5))


@pytest.mark.parametrize("family", [guides.MeanField, guides.FullRank])
def test_a_guide_is_exact_on_every_support(family, key):
    np.testing.assert_allclose(log_weights(family(init_scale=1.0), normal_coordinates(True), key), 0.0, atol=2e-3)


def test_a_prior_that_is_flat_in_other_coordinates_is_rejected(key):
    assert np.max(np.abs(log_weights(guides.MeanField(init_scale=1.0), normal_coordinates(False), key))) > 1.0


def test_prediction_takes_flat_latents_from_the_guide(key):
    posterior = vipl.infer(normal_mean(Y), key=key, num_steps=10, progress=False)
    predicted = posterior.predict(key, num_samples=2000)
    mu = posterior.sample(key, 2000)["mu"]
    np.testing.assert_array_equal(predicted["twice"], 2 * mu)
    noise = predicted["y"] - mu[:, None]
    assert abs(np.mean(noise)) < 4.5 / 10_000**0.5
    assert abs(np.var(noise) - 1) < 4.5 * (2 / 10_000) ** 0.5
    assert "twice" in posterior.summary()


DRAWS = {
    "simulate": lambda key: vipl.simulate(normal_mean(Y), key),
    "expectation": lambda key: vipl.expectation(lambda: vipl.simulate(normal_mean(Y))["mu"])(key),
    "predict": lambda key: vipl.infer(normal_mean(Y), key=key, num_steps=0, progress=False).predict(key, two_means(Y)),
    "normalize": lambda key: vipl.simulate(vipl.normalize(normal_mean(Y), vipl.Importance(num_particles=2)), key),
}


@vipl.program
def two_means(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    vipl.sample("other/mu", dist.ImproperUniform(C.real, (), ()).expand([2]))
    vipl.sample("y", dist.Normal(mu, 1.0).expand([len(y)]), obs=y)


@pytest.mark.parametrize("how", DRAWS)
def test_a_draw_is_refused_by_address_line_and_cure(how, key):
    with pytest.raises(vipl.ProgramError) as caught:
        DRAWS[how](key)
    error, address = caught.value, "other/mu" if how == "predict" else "mu"
    assert error.what == f"site {address!r} has the improper prior ImproperUniform, which has a density and no draws."
    assert re.search(r"mu', .*test_flat_priors.py:\d+ in (normal_mean|two_means)", str(error.where))
    assert ("vipl.Importance(proposal)" if how == "normalize" else f"program | {{{address!r}: …}}") in str(error.fix)


def test_a_choice_of_an_expectation_is_refused_too(key):
    choose = vipl.expectation(lambda: vipl.sample("mu", dist.ImproperUniform(C.real, (), ())))
    with pytest.raises(vipl.ProgramError, match="'mu' has the improper prior"):
        choose(key)


def test_the_cure_of_the_message_works(key):
    for set_to in (vipl.condition, vipl.do):
        assert vipl.simulate(set_to(normal_mean(Y[:0]), {"mu": 1.0}), key)["twice"] == 2.0
    proposal = mean_posterior(Y.mean(), N**-0.5)
    program = vipl.normalize(normal_mean(Y), vipl.Importance(proposal, num_particles=2))
    np.testing.assert_allclose(vipl.simulate(program, key)["mu"], Y.mean(), atol=4.5 * N**-0.5)


def test_params_start_beside_a_flat_prior(key):
    @vipl.program
    def model():
        def step(total, _):
            return total + vipl.sample("x", dist.ImproperUniform(C.greater_than(2.0), (), (2,))), None

        total, _ = jax.lax.scan(step, jnp.zeros(2), length=3)
        lanes = vipl.vmap(lambda i: vipl.sample("y", dist.ImproperUniform(C.real, (), ())))(jnp.arange(2))
        vipl.param("start", total + lanes)

    np.testing.assert_array_equal(vipl.init_params(key, model())["start"], [9.0, 9.0])
