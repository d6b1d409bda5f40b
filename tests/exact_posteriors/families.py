"""Conjugate families: the guide is a program with the posterior's own distribution."""

import json
import pathlib

import jax.numpy as jnp
import numpy as np
from scipy.special import betaln, gammaln, multigammaln

import vipl
import vipl.distributions as dist
from exact_posteriors.registry import Known, case

LINEAR_REGRESSION = pathlib.Path(__file__).parents[2] / "examples/posteriors/data/linear_regression.json"


@vipl.program
def drawn(distribution, address="x"):
    vipl.sample(address, distribution)


@vipl.program
def given(prior, of_data, y):
    """A model of one site and a plate of data."""
    x = vipl.sample("x", prior)
    with vipl.plate("n", len(y)):
        vipl.sample("y", of_data(x), obs=y)


@case
def rate(nudge):
    """The data set `pdb_Rate_1`, five successes of ten; its evidence is one in eleven."""
    model = given(dist.Beta(1.0, 1.0), lambda p: dist.Binomial(10, p), np.array([5]))
    return Known(model, drawn(dist.Beta(6.0 + nudge, 6.0)), -2.3978952727983707)


@case
def beta_geometric(nudge):
    y = np.array([0, 3, 1])
    model = given(dist.Beta(2.0, 3.0), dist.Geometric, y)
    return Known(model, drawn(dist.Beta(5.0 + nudge, 7.0)), betaln(5, 7) - betaln(2, 3))


@case
def gamma_poisson(nudge):
    y = np.array([4, 0, 2, 3])
    model = given(dist.Gamma(2.0, 1.5), dist.Poisson, y)
    evidence = gammaln(11) - gammaln(2) + 2 * np.log(1.5) - 11 * np.log(5.5) - gammaln(y + 1).sum()
    return Known(model, drawn(dist.Gamma(11.0 + nudge, 5.5)), evidence)


@case
def gamma_exponential(nudge):
    y = np.array([0.4, 1.9])
    model = given(dist.Gamma(2.0, 1.5), dist.Exponential, y)
    evidence = gammaln(4) - gammaln(2) + 2 * np.log(1.5) - 4 * np.log(3.8)
    return Known(model, drawn(dist.Gamma(4.0, 3.8 + nudge)), evidence)


@case
def dirichlet_categorical(nudge):
    prior, y = np.array([0.5, 1.0, 2.0]), np.array([0, 2, 2, 1, 2])
    counts = np.bincount(y)
    model = given(dist.Dirichlet(prior), lambda p: dist.Categorical(probs=p), y)
    log_beta = [gammaln(a).sum() - gammaln(a.sum()) for a in (prior, prior + counts)]
    return Known(model, drawn(dist.Dirichlet(prior + counts + nudge)), log_beta[1] - log_beta[0])


@case
def pareto_uniform(nudge):
    y = np.array([1.4, 2.6, 0.3])
    model = given(dist.Pareto(1.0, 2.5), lambda top: dist.Uniform(0.0, top), y)
    evidence = np.log(2.5 / 5.5) - 5.5 * np.log(2.6)
    return Known(model, drawn(dist.Pareto(2.6, 5.5 + nudge)), evidence)


@case
def covariance_of_normals(nudge):
    y, prior = np.array([[0.4, -1.0], [1.3, 0.2], [-0.7, -0.9]]), np.array([[2.0, 0.3], [0.3, 1.0]])
    model = given(dist.InverseWishart(5.0, scale_matrix=prior), lambda c: dist.MultivariateNormal(jnp.zeros(2), c), y)
    after = prior + y.T @ y
    log_dets = np.linalg.slogdet(prior)[1], np.linalg.slogdet(after)[1]
    evidence = multigammaln(4.0, 2) - multigammaln(2.5, 2) + 2.5 * log_dets[0] - 4 * log_dets[1] - 3 * np.log(np.pi)
    return Known(model, drawn(dist.InverseWishart(8.0 + nudge, scale_matrix=after)), evidence)


@vipl.program
def mean_and_variance(y):
    variance = vipl.sample("variance", dist.InverseGamma(3.0, 2.0))
    mean = vipl.sample("mean", dist.Normal(0.5, jnp.sqrt(2 * variance)))
    with vipl.plate("n", len(y)):
        vipl.sample("y", dist.Normal(mean, jnp.sqrt(variance)), obs=y)


@vipl.program
def normal_inverse_gamma(shape, rate, loc, share):
    variance = vipl.sample("variance", dist.InverseGamma(shape, rate))
    vipl.sample("mean", dist.Normal(loc, jnp.sqrt(variance * share)))


@case
def normal_of_unknown_mean_and_variance(nudge):
    y = np.array([0.3, -1.2, 2.2, 0.4])
    share, loc = 1 / (0.5 + 4), (0.25 + y.sum()) / 4.5
    rate = 2.0 + 0.5 * (np.sum((y - y.mean()) ** 2) + 0.5 * 4 / 4.5 * (y.mean() - 0.5) ** 2)
    evidence = gammaln(5) - gammaln(3) + 3 * np.log(2.0) - 5 * np.log(rate) + 0.5 * np.log(0.5 / 4.5)
    evidence -= 2 * np.log(2 * np.pi)
    return Known(mean_and_variance(y), normal_inverse_gamma(5.0, rate + nudge, loc, share), evidence)


@vipl.program
def regression(x, y):
    beta = vipl.sample("beta", dist.Normal(0.0, 10.0).expand([5]).to_event(1))
    sigma = vipl.sample("sigma", dist.HalfNormal(10.0))
    with vipl.plate("n", len(y)):
        vipl.sample("y", dist.Normal(x @ beta, sigma), obs=y)


class Scale(dist.Distribution):
    """Of the scale of a regression given its data; a draw is some number, of the right density."""

    support, arg_constraints = dist.constraints.positive, {}
    pytree_data_fields = ("along", "spread", "rest", "log_evidence")
    pytree_aux_fields = ("size",)

    def __init__(self, x, y, log_evidence):
        left, values, _ = np.linalg.svd(x, full_matrices=False)
        self.along, self.spread, self.size = left.T @ y, 100 * values**2, len(y)
        self.rest, self.log_evidence = np.sum((y - left @ self.along) ** 2), log_evidence
        super().__init__()

    def sample(self, key, sample_shape=()):
        return dist.Gamma(90.0, 90.0).sample(key, sample_shape)

    def log_prob(self, value):
        variances, free = self.spread + value**2, self.size - len(self.spread)
        square = jnp.sum(self.along**2 / variances) + self.rest / value**2
        log_det = jnp.sum(jnp.log(variances)) + free * jnp.log(value**2) + self.size * np.log(2 * np.pi)
        return -0.5 * (square + log_det) + dist.HalfNormal(10.0).log_prob(value) - self.log_evidence


@vipl.program
def regression_posterior(scale, x, y, nudge):
    sigma = vipl.sample("sigma", scale)
    precision = x.T @ x / sigma**2 + jnp.eye(5) / 100
    mean = jnp.linalg.solve(precision, x.T @ y / sigma**2) + nudge
    vipl.sample("beta", dist.MultivariateNormal(mean, precision_matrix=precision))


@case
def regression_of_unknown_variance(nudge):
    """The posterior `sblri-blr`: normal given the scale, whose normaliser is known by quadrature."""
    known = json.loads(LINEAR_REGRESSION.read_text(encoding="utf-8"))
    x, y = np.array(known["data"]["X"]), np.array(known["data"]["y"])
    posterior = regression_posterior(Scale(x, y, known["log_evidence"]), x, y, nudge)
    return Known(regression(x, y), posterior, known["log_evidence"])
