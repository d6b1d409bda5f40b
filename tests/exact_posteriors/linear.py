"""Linear models with normal noise: the posterior is normal, as the guides of vipl's families are."""

import jax
import jax.numpy as jnp
import numpy as np
from conjugate import DATUM
from conjugate import model as conjugate_model

import vipl
import vipl.distributions as dist
from exact_posteriors.registry import Known, case, condition_normal, log_normal, raw, raw_triangle, with_values
from vipl import guides
from vipl.guides.flows.conditioner import Conditioner

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((8, 4))
X[:, 0] = 1.0
Y = RANDOM.standard_normal(8)


@case
def conjugate(nudge):
    model = conjugate_model(-0.7)
    mean, variance = (DATUM - 0.7) / 2 + nudge, 0.5
    posterior = with_values(guides.MeanField(), model, loc=mean, scale=raw(variance**0.5))
    return Known(model, posterior, log_normal(DATUM, -0.7, 2.0))


@vipl.program
def regression_model(x, y):
    a = vipl.sample("a", dist.Normal(0.5, 2.0))
    b = vipl.sample("b", dist.Normal(0.0, 2.0).expand([3]).to_event(1))
    with vipl.plate("n", len(y)):
        vipl.sample("y", dist.Normal(a + x @ b, 0.7), obs=y)


REGRESSION = condition_normal(np.array([0.5, 0, 0, 0]), 4 * np.eye(4), X, np.full(8, 0.49), Y)


def regression():
    return regression_model(X[:, 1:], Y)


@case
def regression_by_full_rank(nudge):
    mean, covariance, log_evidence = REGRESSION
    params = {"loc": mean + nudge, "scale_tril": raw_triangle(covariance)}
    return Known(regression(), with_values(guides.FullRank(), regression(), **params), log_evidence)


@case
def regression_by_structured(nudge):
    mean, covariance, log_evidence = REGRESSION
    slope = covariance[1:, :1] / covariance[0, 0]
    inner = np.linalg.cholesky(covariance[1:, 1:] - slope @ covariance[:1, 1:])
    params = {
        "loc": np.append(mean[0], mean[1:] - slope[:, 0] * mean[0]) + nudge,
        "scale": raw(np.append(covariance[0, 0] ** 0.5, np.diag(inner))),
        "b_on_a": slope,
        "b_on_b": inner,
    }
    return Known(regression(), with_values(guides.Structured(), regression(), **params), log_evidence)


@case
def regression_by_laplace(nudge):
    """Found by vipl itself."""
    posterior = vipl.infer(regression(), guides.Laplace(), key=jax.random.key(0), progress=False)
    params = posterior.params | {"laplace.loc": posterior.params["laplace.loc"] + nudge}
    return Known(regression(), vipl.with_params(posterior.guide, params), REGRESSION[2])


@vipl.program
def correlated_model(y, sigma):
    d = len(y)
    x = vipl.sample("x", dist.MultivariateNormal(jnp.zeros(d), 0.5 * jnp.eye(d) + 1.5 * jnp.ones((d, d))))
    with vipl.plate("n", d):
        vipl.sample("y", dist.Normal(x, sigma), obs=y)


@case
def one_factor_by_low_rank(nudge):
    """The precision is a diagonal matrix and one of rank one."""
    y, sigma = Y[:5], np.array([0.5, 1.0, 0.3, 2.0, 1.5])
    model = correlated_model(y, sigma)
    prior = 0.5 * np.eye(5) + 1.5
    mean, _, log_evidence = condition_normal(np.zeros(5), prior, np.eye(5), sigma**2, y)
    own = 1 / (2 + sigma**-2)
    among = 1 / (1 / 1.5 + 5 / 0.5) / 0.5**2
    factor = np.sqrt(own * among / (1 - among * own.sum()))
    params = {"loc": mean + nudge, "scale": raw(np.sqrt(own)), "factor": (np.sqrt(own) * factor)[:, None]}
    return Known(model, with_values(guides.LowRank(1), model, **params), log_evidence)


@vipl.program
def chain_model(y):
    x = vipl.sample("x", dist.Normal(0.5, 1.0))
    z = vipl.sample("z", dist.Normal(2.0 * x, 0.5))
    vipl.sample("y", dist.Normal(z, 1.0), obs=y)


@case
def chain_by_flow(nudge):
    """A layer whose shift is linear in what comes before."""
    model = chain_model(1.0)
    prior = np.array([[1.0, 2.0], [2.0, 4.25]])
    mean, covariance, log_evidence = condition_normal(np.array([0.5, 1.0]), prior, np.array([[0.0, 1.0]]), [1.0], [1.0])
    triangle = np.linalg.cholesky(covariance)
    linear, conditioner = np.zeros((2, 2, 2)), Conditioner((0, 1), 1, 2)
    weights = conditioner.initial(float) | {"linear": np.ones((2, 2, 2))}
    linear[0, 1, 0] = triangle[1, 0] / triangle[1, 1] / conditioner(weights, jnp.array([1.0, 0.0]))[1, 0]
    family = guides.Flow("autoregressive", num_layers=1, width=1)
    params = {"loc": mean + nudge, "flow_scale": raw(np.diag(triangle)), "linear": linear}
    return Known(model, with_values(family, model, **params), log_evidence)


@vipl.program
def no_data():
    covariance = jnp.array([[1.0, 1.0], [1.0, 4.0]])
    vipl.sample("z", dist.MultivariateNormal(jnp.array([0.0, 3.0]), covariance))


@case
def correlated_prior_alone(nudge):
    """The data set `scb_low_dim_corr_gauss`, which has no data."""
    params = {"loc": np.array([0, 3]) + nudge, "scale_tril": raw_triangle(np.array([[1.0, 1.0], [1.0, 4.0]]))}
    return Known(no_data(), with_values(guides.FullRank(), no_data(), **params), 0.0)
