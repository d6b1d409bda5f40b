"""Measure-valued derivatives of the families that the matrix leaves out, against quadrature, sums and algebra."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats as st

import vipl
import vipl.distributions as dist
from vipl.estimators import MeasureValued

DRAWS = 200_000


def feature(x, np=jnp):
    """A wave and a jump."""
    return np.sin(0.8 * x) + np.where(x > 1.2, 0.7, 0.0)


def by_quadrature(density, low=-np.inf):
    """Integrate the feature, split at its jump and at the kink of the density."""

    def mean(theta):
        edges = sorted({max(low, -40.0), *(p for p in (0.0, theta[0], 1.2) if p > low), 60.0})
        pieces = zip(edges, edges[1:], strict=False)
        integrand = lambda x: feature(x, np) * density(x, *theta)  # noqa: E731
        return sum(scipy.integrate.quad(integrand, a, b, epsabs=1e-11, limit=400)[0] for a, b in pieces)

    return mean


def by_sum(mass):
    """Sum the feature."""
    counts = np.arange(400)
    return lambda theta: np.sum(feature(counts, np) * mass(counts, *theta))


# Of each: how to make it, its parameters, the exact mean.
FAMILIES = {
    "laplace": (dist.Laplace, (0.4, 0.8), by_quadrature(lambda x, m, b: st.laplace.pdf(x, m, b))),
    "log_normal": (dist.LogNormal, (0.2, 0.5), by_quadrature(lambda x, m, s: st.lognorm.pdf(x, s, 0, np.exp(m)), 0.0)),
    "half_normal": (dist.HalfNormal, (0.9,), by_quadrature(lambda x, s: st.halfnorm.pdf(x, 0, s), 0.0)),
    "weibull": (
        lambda scale: dist.Weibull(scale, 1.7),
        (1.3,),
        by_quadrature(lambda x, s: st.weibull_min.pdf(x, 1.7, 0, s), 0.0),
    ),
    "gamma_poisson": (
        lambda rate: dist.GammaPoisson(2.5, rate),
        (1.3,),
        by_sum(lambda x, b: st.nbinom.pmf(x, 2.5, b / (1 + b))),
    ),
    "negative_binomial_probs": (
        lambda probs: dist.NegativeBinomialProbs(2.5, probs),
        (0.4,),
        by_sum(lambda x, p: st.nbinom.pmf(x, 2.5, 1 - p)),
    ),
    "negative_binomial_logits": (
        lambda logits: dist.NegativeBinomialLogits(2.5, logits),
        (-0.4,),
        by_sum(lambda x, t: st.nbinom.pmf(x, 2.5, 1 - 1 / (1 + np.exp(-t)))),
    ),
    "negative_binomial_mean": (
        lambda mean: dist.NegativeBinomial2(mean, 2.5),
        (1.4,),
        by_sum(lambda x, m: st.nbinom.pmf(x, 2.5, 2.5 / (2.5 + m))),
    ),
}


def difference(mean, theta, h=1e-3):
    steps = h * np.eye(len(theta))
    return np.array([(mean(theta + step) - mean(theta - step)) / (2 * h) for step in steps])


def agrees(gradients, exact, *, resolution=0.1):
    """Say whether the mean of gradients is right, by enough draws to see a bias."""
    error = gradients.std(axis=0) / np.sqrt(len(gradients))
    assert np.all(4.5 * error <= resolution * np.abs(exact).max())
    return bool(np.all(np.abs(gradients.mean(axis=0) - exact) <= 4.5 * error))


def gradients_of(objective, theta, num_draws=DRAWS, seed=3):
    each = jax.jit(jax.vmap(jax.grad(objective, argnums=1), (0, None)))
    return np.asarray(each(jax.random.split(jax.random.key(seed), num_draws), theta))


@pytest.mark.parametrize("name", FAMILIES)
def test_family(name):
    make, theta, mean = FAMILIES[name]

    @vipl.expectation
    def objective(theta):
        with vipl.plate("n", 2):  # elements apart, with parameters that differ
            x = vipl.sample("x", make(*(t * jnp.array([1.0, 1.2]) for t in theta)), estimator=MeasureValued())
        return jnp.sum(jnp.array([1.0, 0.5]) * feature(x))

    twice = lambda t: mean(t) + 0.5 * mean(1.2 * t)  # noqa: E731
    with jax.enable_x64(True):
        found = gradients_of(objective, jnp.array(theta))
    exact = difference(twice, np.array(theta))
    assert agrees(found, exact)
    assert not agrees(1.15 * found, exact)


LOC, TRIL = np.array([0.3, -0.4, 0.2]), np.array([[1.1, 0.0, 0.0], [0.4, 0.8, 0.0], [-0.3, 0.5, 0.7]])
DIRECTION = np.array([0.9, -0.7, 0.5])


def exact_wave(loc, covariance):
    """E sin(a·x + 1/2) of a normal vector."""
    return jnp.exp(-DIRECTION @ covariance @ DIRECTION / 2) * jnp.sin(DIRECTION @ loc + 0.5)


def wave(x):
    return jnp.sin(x @ DIRECTION + 0.5)


@pytest.mark.parametrize("coordinates", ["all", "one"])
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("by", ["scale_tril", "covariance_matrix"])
def test_multivariate_normal(coordinates, mixed, by):
    with jax.enable_x64(True):

        @vipl.expectation
        def objective(theta):
            loc, matrix = theta[:3], theta[3:].reshape(3, 3)
            matrix = jnp.tril(matrix) if by == "scale_tril" else (matrix + matrix.T) / 2
            with vipl.plate("n", 2):
                law = dist.MultivariateNormal(jnp.stack([loc, 2 * loc]), **{by: matrix})
                x = vipl.sample("x", law, estimator=MeasureValued(coordinates))
            return jnp.prod(1.5 + wave(x)) if mixed else jnp.sum(wave(x))

        def exact(theta):
            loc, matrix = theta[:3], theta[3:].reshape(3, 3)
            tril = jnp.tril(matrix)
            covariance = tril @ tril.T if by == "scale_tril" else (matrix + matrix.T) / 2
            one, two = exact_wave(loc, covariance), exact_wave(2 * loc, covariance)
            return (1.5 + one) * (1.5 + two) if mixed else one + two

        matrix = TRIL if by == "scale_tril" else TRIL @ TRIL.T
        theta = jnp.concatenate([LOC, matrix.ravel()])
        found, due = gradients_of(objective, theta), np.asarray(jax.grad(exact)(theta))
    assert agrees(found, due)
    assert not agrees(found * np.where(np.arange(12) == np.argmax(np.abs(due)), 1.15, 1.0), due)


def test_one_coordinate_costs_fewer_values():
    @vipl.expectation
    def objective(loc, coordinates):
        law = dist.MultivariateNormal(loc, jnp.eye(5))
        return jnp.sum(vipl.sample("x", law, estimator=MeasureValued(coordinates)) ** 2)

    values = {c: objective.explain(jnp.zeros(5), c).choices[0].num_values for c in ("all", "one")}
    assert values == {"all": 1 + 4 * 5, "one": 1 + 4}
