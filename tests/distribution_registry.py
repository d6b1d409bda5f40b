"""One small instance of every distribution, for the laws that hold for all of them.

`CASES` maps a name to a `Case`: how to build it (from float parameters, so that derivatives can be taken), a
value outside its support, and what SciPy calls it. `EXCLUDED` says which names of
`numpyro.distributions` are no instances, and why."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats as st

import vipl.distributions as dist

constraints, transforms = dist.constraints, dist.transforms


@dataclasses.dataclass(frozen=True)
class Case:
    """One distribution.

    `build(*parameters)` makes it; `outside` is an event outside the support (None: all of the reals);
    `scipy` makes SciPy's version, elementwise over the batch; `samples` says whether it can be sampled,
    `differentiable` whether NumPyro's density has derivatives in the parameters.
    """

    build: Callable
    parameters: tuple = ()
    outside: object = None
    scipy: object = None
    samples: bool = True
    differentiable: bool = True

    def make(self):
        return self.build(*(np.asarray(p, np.result_type(float)) for p in self.parameters))


V = np.array
TWO = V([0.7, 1.6])
MATRIX = V([[1.0, 0.0], [0.4, 0.8]])
COVARIANCE = MATRIX @ MATRIX.T
SIMPLEX = V([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
BAD_MATRIX = V([[1.0, 2.0], [2.0, 1.0]])


def _mixture(logits, loc):
    return dist.MixtureSameFamily(dist.Categorical(logits=logits), dist.Normal(loc, 1.0))


def _mixture_positive(logits, rate):
    return dist.MixtureSameFamily(dist.Categorical(logits=logits), dist.Exponential(rate))


def _mixture_general(logits, scale):
    parts = [dist.Normal(0.0, scale), dist.HalfNormal(scale)]
    return dist.MixtureGeneral(dist.Categorical(logits=logits), parts, support=constraints.real)


def _mixture_narrow(logits, high):
    parts = [dist.Uniform(0.0, high), dist.Uniform(0.5, high)]
    return dist.MixtureGeneral(dist.Categorical(logits=logits), parts, support=constraints.real)


def _affine_uniform(loc, scale):
    return dist.TransformedDistribution(dist.Uniform(0.0, 1.0), transforms.AffineTransform(loc, scale))


def _chain(loc, scale):
    steps = [transforms.ExpTransform(), transforms.AffineTransform(loc, scale)]
    return dist.TransformedDistribution(dist.Normal(loc, scale), steps)


def _state_space(scale):
    return dist.GaussianStateSpace(3, jnp.eye(2), scale_tril=scale[..., None, None] * jnp.eye(2))


def _euler(scale):
    return dist.EulerMaruyama(
        jnp.arange(4.0), lambda x, t: (-x, scale * jnp.ones_like(x)), dist.Normal(0.0, scale)
    )


def _skewed(skewness):
    return dist.SineSkewed(dist.VonMises(jnp.zeros(2), jnp.ones(2)).to_event(1), skewness)


CASES = {
    "AsymmetricLaplace": Case(dist.AsymmetricLaplace, (TWO, TWO, 1.5)),
    "AsymmetricLaplaceQuantile": Case(dist.AsymmetricLaplaceQuantile, (TWO, TWO, 0.3)),
    "BernoulliLogits": Case(dist.BernoulliLogits, (TWO,), 0.5, lambda d: st.bernoulli(np.asarray(d.probs))),
    "BernoulliProbs": Case(dist.BernoulliProbs, (V([0.2, 0.9]),), 2, lambda d: st.bernoulli(d.probs)),
    "Beta": Case(dist.Beta, (TWO, V([2.0, 0.8])), -0.1, lambda d: st.beta(d.concentration1, d.concentration0)),
    "BetaBinomial": Case(
        lambda a, b: dist.BetaBinomial(a, b, 5), (TWO, V([2.0, 0.8])), 6,
        lambda d: st.betabinom(5, d.concentration1, d.concentration0),
    ),
    "BetaNegativeBinomial": Case(
        lambda a, b: dist.BetaNegativeBinomial(a, b, 3.0), (V([3.0, 4.0]), V([2.0, 0.8])), -1,
        lambda d: st.betanbinom(3.0, d.concentration0, d.concentration1),
    ),
    "BetaProportion": Case(
        dist.BetaProportion, (V([0.3, 0.6]), V([2.0, 5.0])), 1.5,
        lambda d: st.beta(d.concentration1, d.concentration0),
    ),
    "BinomialLogits": Case(
        lambda x: dist.BinomialLogits(x, 5), (TWO,), 2.5, lambda d: st.binom(5, np.asarray(d.probs))
    ),
    "BinomialProbs": Case(
        lambda p: dist.BinomialProbs(p, 5), (V([0.2, 0.9]),), 6, lambda d: st.binom(5, d.probs)
    ),
    "CAR": Case(
        lambda loc, tau: dist.CAR(loc, 0.5, tau, np.ones((3, 3)) - np.eye(3)), (V([0.0, 1.0, 2.0]), V(1.5))
    ),
    "CategoricalLogits": Case(dist.CategoricalLogits, (np.log(SIMPLEX),), 3),
    "CategoricalProbs": Case(dist.CategoricalProbs, (SIMPLEX,), -1),
    "Cauchy": Case(dist.Cauchy, (TWO, TWO), None, lambda d: st.cauchy(d.loc, d.scale)),
    "Chi2": Case(dist.Chi2, (V([2.0, 5.0]),), -1.0, lambda d: st.chi2(d.df)),
    "CirculantNormal": Case(
        lambda loc: dist.CirculantNormal(loc, covariance_row=jnp.array([2.0, 0.5, 0.2, 0.5])), (np.arange(4.0),)
    ),
    "Dagum": Case(dist.Dagum, (V([2.0, 3.0]), TWO, TWO), -1.0),
    "Delta": Case(dist.Delta, (TWO, V([0.0, 1.0])), 7.0),
    "Dirichlet": Case(dist.Dirichlet, (V([[0.7, 1.5, 2.0], [3.0, 2.0, 1.0]]),), V([0.5, 0.4, 0.3])),
    "DirichletMultinomial": Case(
        lambda a: dist.DirichletMultinomial(a, 4), (V([0.7, 1.5, 2.0]),), V([1, 1, 1]),
        lambda d: st.dirichlet_multinomial(d.concentration, 4),
    ),
    "DiscreteUniform": Case(lambda: dist.DiscreteUniform(V([0, 1]), V([3, 5])), (), 6),
    "DoublyTruncatedPowerLaw": Case(
        lambda a: dist.DoublyTruncatedPowerLaw(a, 0.5, 2.0), (V([-1.5, 0.7]),), 2.5
    ),
    "EulerMaruyama": Case(_euler, (V(0.7),)),
    "ExpandedDistribution": Case(lambda r: dist.Exponential(r).expand([3, 2]), (TWO,), -1.0),
    "ExpandedDistribution-interstitial": Case(lambda r: dist.Gamma(r, r).expand([3, 2]), (V([[0.7], [1.6], [2.0]]),), -1.0),
    "Exponential": Case(dist.Exponential, (TWO,), -1.0, lambda d: st.expon(scale=1 / d.rate)),
    "FoldedDistribution": Case(
        lambda loc, scale: dist.FoldedDistribution(dist.Normal(loc, scale)), (TWO, TWO), -1.0,
        lambda d: st.foldnorm(d.base_dist.loc / d.base_dist.scale, scale=d.base_dist.scale),
    ),
    "FoldedDistribution-narrow": Case(
        lambda high: dist.FoldedDistribution(dist.Uniform(-0.5, high)), (TWO,), 1.8
    ),
    "Gamma": Case(dist.Gamma, (TWO, V([2.0, 0.8])), -1.0, lambda d: st.gamma(d.concentration, scale=1 / d.rate)),
    "GammaPoisson": Case(
        dist.GammaPoisson, (TWO, V([2.0, 0.8])), -1, lambda d: st.nbinom(d.concentration, d.rate / (1 + d.rate))
    ),
    "GaussianCopula": Case(
        lambda a, b: dist.GaussianCopula(
            dist.LogNormal(a, b), correlation_cholesky=jnp.array([[1.0, 0.0], [0.6, 0.8]])
        ), (TWO, TWO), V([1.0, -1.0]),
    ),
    "GaussianCopulaBeta": Case(
        lambda a, b: dist.GaussianCopulaBeta(a, b, correlation_cholesky=jnp.array([[1.0, 0.0], [0.6, 0.8]])),
        (TWO, TWO), V([0.5, 1.5]), samples=False, differentiable=False,  # wants TensorFlow Probability
    ),
    "GaussianRandomWalk": Case(lambda s: dist.GaussianRandomWalk(s, 3), (TWO,)),
    "GaussianStateSpace": Case(_state_space, (V(0.7),)),
    "GeometricLogits": Case(dist.GeometricLogits, (TWO,), -1, lambda d: st.geom(np.asarray(d.probs), loc=-1)),
    "GeometricProbs": Case(dist.GeometricProbs, (V([0.2, 0.9]),), 0.5, lambda d: st.geom(d.probs, loc=-1)),
    "Gompertz": Case(dist.Gompertz, (TWO, V([2.0, 0.8])), -1.0, lambda d: st.gompertz(d.concentration, scale=1 / d.rate)),
    "Gumbel": Case(dist.Gumbel, (TWO, TWO), None, lambda d: st.gumbel_r(d.loc, d.scale)),
    "HalfCauchy": Case(dist.HalfCauchy, (TWO,), -1.0, lambda d: st.halfcauchy(scale=d.scale)),
    "HalfNormal": Case(dist.HalfNormal, (TWO,), -1.0, lambda d: st.halfnorm(scale=d.scale)),
    "HurdleGamma": Case(lambda g, a: dist.HurdleGamma(gate=g, concentration=a, rate=2.0), (V([0.2, 0.6]), TWO), -1.0),
    "HurdleLogNormal": Case(lambda g, m: dist.HurdleLogNormal(gate=g, loc=m, scale=1.0), (V([0.2, 0.6]), TWO), -1.0),
    "HurdleLogits": Case(lambda g, r: dist.HurdleLogits(dist.Poisson(r), g), (TWO, TWO), -1),
    "HurdleNegativeBinomial2": Case(
        lambda g, r: dist.HurdleNegativeBinomial2(mean=r, concentration=2.0, gate=g), (V([0.2, 0.6]), TWO), -1
    ),
    "HurdlePoisson": Case(lambda g, r: dist.HurdlePoisson(gate=g, rate=r), (V([0.2, 0.6]), TWO), 1.5),
    "HurdleProbs": Case(lambda g, r: dist.HurdleProbs(dist.Exponential(r), g), (V([0.2, 0.6]), TWO), -1.0),
    "ImproperUniform": Case(
        lambda: dist.ImproperUniform(constraints.positive, (2,), (3,)), (), V([1.0, -1.0, 2.0]), samples=False
    ),
    "Independent": Case(lambda r: dist.Exponential(r).to_event(1), (TWO,), V([1.0, -1.0])),
    "Independent-expanded": Case(
        lambda r: dist.Exponential(r).expand([3, 2]).to_event(2), (TWO,), np.full((3, 2), -1.0)
    ),
    "IntervalCensoredDistribution": Case(
        lambda r: dist.IntervalCensoredDistribution(dist.Exponential(r), V([0, 1]), V([0, 0])), (TWO,),
        V([-2.0, -1.0]), samples=False,
    ),
    "InverseGamma": Case(
        dist.InverseGamma, (V([3.0, 4.0]), TWO), -1.0, lambda d: st.invgamma(d.concentration, scale=d.rate)
    ),
    "InverseWishart": Case(lambda s: dist.InverseWishart(4.0, scale_tril=s), (MATRIX,), BAD_MATRIX),
    "InverseWishartCholesky": Case(
        lambda s: dist.InverseWishartCholesky(4.0, scale_tril=s), (MATRIX,), V([[1.0, 0.5], [0.0, 1.0]])
    ),
    "Kumaraswamy": Case(dist.Kumaraswamy, (V([1.5, 2.0]), V([2.0, 1.8])), 1.2),
    "LKJ": Case(lambda c: dist.LKJ(2, c), (TWO,), BAD_MATRIX),
    "LKJCholesky": Case(lambda c: dist.LKJCholesky(2, c), (TWO,), V([[1.0, 0.0], [0.5, 0.5]])),
    "Laplace": Case(dist.Laplace, (TWO, TWO), None, lambda d: st.laplace(d.loc, d.scale)),
    "LeftCensoredDistribution": Case(
        lambda r: dist.LeftCensoredDistribution(dist.Exponential(r), V([0, 1])), (TWO,), -1.0, samples=True
    ),
    "LeftTruncatedDistribution": Case(
        lambda loc, low: dist.LeftTruncatedDistribution(dist.Normal(loc, 1.0), low), (TWO, TWO), -9.0,
        lambda d: st.truncnorm(d.low - d.base_dist.loc, np.inf, d.base_dist.loc),
    ),
    "LeftTruncatedGamma": Case(
        lambda a, low: dist.LeftTruncatedGamma(dist.Gamma(a, 1.0), low), (TWO, TWO), 0.1
    ),
    "Levy": Case(dist.Levy, (TWO, TWO), -3.0, lambda d: st.levy(d.loc, d.scale)),
    "LogNormal": Case(dist.LogNormal, (TWO, TWO), -1.0, lambda d: st.lognorm(d.scale, scale=np.exp(d.loc))),
    "LogUniform": Case(dist.LogUniform, (V([0.5, 1.0]), V([2.0, 3.0])), 5.0, lambda d: st.loguniform(d.low, d.high)),
    "Logistic": Case(dist.Logistic, (TWO, TWO), None, lambda d: st.logistic(d.loc, d.scale)),
    "LowRankMultivariateNormal": Case(
        dist.LowRankMultivariateNormal, (np.zeros(3), V([[0.5], [1.0], [0.2]]), V([0.7, 1.0, 1.6]))
    ),
    "LowerTruncatedPowerLaw": Case(lambda a, low: dist.LowerTruncatedPowerLaw(a, low), (V([-1.5, -2.7]), TWO), 0.1),
    "MaskedDistribution": Case(lambda r: dist.Exponential(r).mask(V([True, True])), (TWO,), -1.0),
    "MatrixNormal": Case(
        lambda loc, row, column: dist.MatrixNormal(loc, row, column), (np.zeros((2, 2)), MATRIX, MATRIX)
    ),
    "MixtureGeneral": Case(_mixture_general, (V([0.3, 0.9]), V(0.7))),
    "MixtureGeneral-narrow": Case(_mixture_narrow, (V([0.3, 0.9]), V(1.7)), 2.0),
    "MixtureSameFamily": Case(_mixture, (V([0.3, 0.9]), V([[0.0, 1.0], [2.0, 3.0]]))),
    "MixtureSameFamily-positive": Case(_mixture_positive, (V([0.3, 0.9]), V([[1.0, 2.0], [2.0, 3.0]])), -1.0),
    "MultinomialLogits": Case(lambda x: dist.MultinomialLogits(x, 4), (np.log(SIMPLEX),), V([1, 1, 1])),
    "MultinomialProbs": Case(
        lambda p: dist.MultinomialProbs(p, 4), (SIMPLEX,), V([1.5, 1.5, 1.0]),
        lambda d: st.multinomial(4, d.probs),
    ),
    "MultivariateNormal": Case(
        lambda loc, s: dist.MultivariateNormal(loc, scale_tril=s), (V([0.5, -1.0]), MATRIX), None,
        lambda d: st.multivariate_normal(d.loc, COVARIANCE),
    ),
    "MultivariateNormal-covariance": Case(dist.MultivariateNormal, (np.zeros((3, 2)), COVARIANCE)),
    "MultivariateStudentT": Case(
        lambda df, loc, s: dist.MultivariateStudentT(df, loc, s), (V(4.0), V([0.5, -1.0]), MATRIX), None,
        lambda d: st.multivariate_t(d.loc, COVARIANCE, df=4.0),
    ),
    "NegativeBinomial2": Case(
        dist.NegativeBinomial2, (TWO, V([2.0, 0.8])), -1,
        lambda d: st.nbinom(d.concentration, d.rate / (1 + d.rate)),
    ),
    "NegativeBinomialLogits": Case(
        lambda x: dist.NegativeBinomialLogits(3.0, x), (TWO,), -1,
        lambda d: st.nbinom(3.0, 1 / (1 + np.exp(d.logits))),
    ),
    "NegativeBinomialProbs": Case(
        lambda p: dist.NegativeBinomialProbs(3.0, p), (V([0.2, 0.9]),), 1.5, lambda d: st.nbinom(3.0, 1 - d.probs)
    ),
    "Normal": Case(dist.Normal, (TWO, TWO), None, lambda d: st.norm(d.loc, d.scale)),
    "OrderedLogistic": Case(dist.OrderedLogistic, (TWO, V([-1.0, 0.5, 1.0])), 4),
    "Pareto": Case(dist.Pareto, (TWO, V([3.0, 2.0])), 0.1, lambda d: st.pareto(d.alpha, scale=d.scale)),
    "Poisson": Case(dist.Poisson, (TWO,), 0.5, lambda d: st.poisson(d.rate)),
    "ProjectedNormal": Case(dist.ProjectedNormal, (V([0.5, 1.0, 0.2]),), V([1.0, 1.0, 1.0])),
    "RelaxedBernoulliLogits": Case(dist.RelaxedBernoulliLogits, (TWO, TWO), 1.5),
    "RightCensoredDistribution": Case(
        lambda r: dist.RightCensoredDistribution(dist.Exponential(r), V([0, 1])), (TWO,), -1.0
    ),
    "RightTruncatedDistribution": Case(
        lambda loc, high: dist.RightTruncatedDistribution(dist.Cauchy(loc, 1.0), high), (TWO, TWO), 9.0
    ),
    "RightTruncatedGamma": Case(
        lambda a, high: dist.RightTruncatedGamma(dist.Gamma(a, 1.0), high), (TWO, TWO), 3.0
    ),
    "SineBivariateVonMises": Case(
        lambda loc: dist.SineBivariateVonMises(loc, 0.5, 2.0, 3.0, 1.0), (V(0.3),), V([0.0, 4.0])
    ),
    "SineSkewed": Case(_skewed, (V([0.3, -0.2]),), V([0.0, 4.0])),
    "SoftLaplace": Case(dist.SoftLaplace, (TWO, TWO), None, lambda d: st.hypsecant(d.loc, d.scale)),
    "StudentT": Case(dist.StudentT, (V([3.0, 5.0]), TWO, TWO), None, lambda d: st.t(d.df, d.loc, d.scale)),
    "TransformedDistribution": Case(_affine_uniform, (V([1.0, 2.0]), V([2.0, -3.0])), 5.0),
    "TransformedDistribution-chain": Case(_chain, (TWO, TWO), 0.1),
    "TruncatedPolyaGamma": Case(lambda: dist.TruncatedPolyaGamma((2,)), (), 3.0),
    "TwoSidedTruncatedDistribution": Case(
        lambda loc: dist.TruncatedNormal(loc, 1.0, low=-0.5, high=1.0), (TWO,), 1.5,
        lambda d: st.truncnorm(-0.5 - d.base_dist.loc, 1.0 - d.base_dist.loc, d.base_dist.loc),
    ),
    "TwoSidedTruncatedGamma": Case(
        lambda a, low: dist.TwoSidedTruncatedGamma(dist.Gamma(a, 1.0), low, 3.0), (TWO, TWO), 3.5
    ),
    "Uniform": Case(dist.Uniform, (V([0.0, -1.0]), V([1.0, 3.0])), 4.0, lambda d: st.uniform(d.low, d.high - d.low)),
    "Unit": Case(dist.Unit, (TWO,)),
    "VonMises": Case(dist.VonMises, (V([0.0, 1.0]), TWO), 4.0, lambda d: st.vonmises(d.concentration, d.loc)),
    "Weibull": Case(dist.Weibull, (TWO, V([2.0, 0.8])), -1.0, lambda d: st.weibull_min(d.concentration, scale=d.scale)),
    "Wishart": Case(
        lambda s: dist.Wishart(4.0, scale_tril=s), (MATRIX,), BAD_MATRIX, lambda d: st.wishart(4.0, COVARIANCE)
    ),
    "WishartCholesky": Case(
        lambda s: dist.WishartCholesky(4.0, scale_tril=s), (MATRIX,), V([[1.0, 0.5], [0.0, 1.0]])
    ),
    "ZeroInflatedLogits": Case(lambda g, r: dist.ZeroInflatedLogits(dist.Poisson(r), g), (TWO, TWO), -1),
    "ZeroInflatedNegativeBinomial2": Case(
        lambda g, r: dist.ZeroInflatedNegativeBinomial2(mean=r, concentration=2.0, gate=g), (V([0.2, 0.6]), TWO), -1
    ),
    "ZeroInflatedPoisson": Case(lambda g, r: dist.ZeroInflatedPoisson(gate=g, rate=r), (V([0.2, 0.6]), TWO), 0.5),
    "ZeroInflatedProbs": Case(lambda g, r: dist.ZeroInflatedProbs(dist.Binomial(4, r), g), (V([0.2, 0.6]), V([0.3, 0.5])), 5),
    "ZeroSumNormal": Case(lambda s: dist.ZeroSumNormal(s, (4,)), (V(0.7),), V([1.0, 1.0, 1.0, 1.0])),
}

FUNCTIONS = "a function that returns one of the classes here"
EXCLUDED = {
    "Distribution": "the abstract base",
    "biject_to": "not a distribution",
    "constraints": "not a distribution",
    "kl_divergence": "not a distribution",
    "transforms": "not a distribution",
    **dict.fromkeys(
        [
            "Bernoulli", "Binomial", "Categorical", "Geometric", "HurdleDistribution", "Mixture", "Multinomial",
            "NegativeBinomial", "RelaxedBernoulli", "TruncatedCauchy", "TruncatedDistribution", "TruncatedGamma",
            "TruncatedNormal", "ZeroInflatedDistribution",
        ],
        FUNCTIONS,
    ),
}


@functools.cache
def sampled(name):
    """Three draws of a case by NumPyro's own sampler, shape `(3, *batch, *event)`; made once for all tests."""
    return np.asarray(CASES[name].make().sample(jax.random.key(3), (3,)))
