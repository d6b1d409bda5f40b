"""Discrete distributions."""

import numpy as np
import scipy.stats as st

import vipl.distributions as dist
from distribution_cases.case import SIMPLEX, TWO, Case, V

CASES = {
    "BernoulliLogits": Case(dist.BernoulliLogits, (TWO,), 0.5, lambda d: st.bernoulli(np.asarray(d.probs))),
    "BernoulliProbs": Case(dist.BernoulliProbs, (V([0.2, 0.9]),), 2, lambda d: st.bernoulli(d.probs)),
    "BetaBinomial": Case(
        lambda a, b: dist.BetaBinomial(a, b, 5),
        (TWO, V([2.0, 0.8])),
        6,
        lambda d: st.betabinom(5, d.concentration1, d.concentration0),
    ),
    "BetaNegativeBinomial": Case(
        lambda a, b: dist.BetaNegativeBinomial(a, b, 3.0),
        (V([3.0, 4.0]), V([2.0, 0.8])),
        -1,
        lambda d: st.betanbinom(3.0, d.concentration0, d.concentration1),
    ),
    "BinomialLogits": Case(
        lambda x: dist.BinomialLogits(x, 5), (TWO,), 2.5, lambda d: st.binom(5, np.asarray(d.probs))
    ),
    "BinomialProbs": Case(lambda p: dist.BinomialProbs(p, 5), (V([0.2, 0.9]),), 6, lambda d: st.binom(5, d.probs)),
    "CategoricalLogits": Case(dist.CategoricalLogits, (np.log(SIMPLEX),), 3),
    "CategoricalProbs": Case(dist.CategoricalProbs, (SIMPLEX,), -1),
    "DirichletMultinomial": Case(
        lambda a: dist.DirichletMultinomial(a, 4),
        (V([0.7, 1.5, 2.0]),),
        V([1, 1, 1]),
        lambda d: st.dirichlet_multinomial(d.concentration, 4),
    ),
    "DiscreteUniform": Case(lambda: dist.DiscreteUniform(V([0, 1]), V([3, 5])), (), 6),
    "GammaPoisson": Case(
        dist.GammaPoisson,
        (TWO, V([2.0, 0.8])),
        -1,
        lambda d: st.nbinom(d.concentration, d.rate / (1 + d.rate)),
    ),
    "GeometricLogits": Case(dist.GeometricLogits, (TWO,), -1, lambda d: st.geom(np.asarray(d.probs), loc=-1)),
    "GeometricProbs": Case(dist.GeometricProbs, (V([0.2, 0.9]),), 0.5, lambda d: st.geom(d.probs, loc=-1)),
    "HurdleGamma": Case(lambda g, a: dist.HurdleGamma(gate=g, concentration=a, rate=2.0), (V([0.2, 0.6]), TWO), -1.0),
    "HurdleLogNormal": Case(lambda g, m: dist.HurdleLogNormal(gate=g, loc=m, scale=1.0), (V([0.2, 0.6]), TWO), -1.0),
    "HurdleLogits": Case(lambda g, r: dist.HurdleLogits(dist.Poisson(r), g), (TWO, TWO), -1),
    "HurdleNegativeBinomial2": Case(
        lambda g, r: dist.HurdleNegativeBinomial2(mean=r, concentration=2.0, gate=g), (V([0.2, 0.6]), TWO), -1
    ),
    "HurdlePoisson": Case(lambda g, r: dist.HurdlePoisson(gate=g, rate=r), (V([0.2, 0.6]), TWO), 1.5),
    "HurdleProbs": Case(lambda g, r: dist.HurdleProbs(dist.Exponential(r), g), (V([0.2, 0.6]), TWO), -1.0),
    "MultinomialLogits": Case(lambda x: dist.MultinomialLogits(x, 4), (np.log(SIMPLEX),), V([1, 1, 1])),
    "MultinomialProbs": Case(
        lambda p: dist.MultinomialProbs(p, 4),
        (SIMPLEX,),
        V([1.5, 1.5, 1.0]),
        lambda d: st.multinomial(4, d.probs),
    ),
    "NegativeBinomial2": Case(
        dist.NegativeBinomial2,
        (TWO, V([2.0, 0.8])),
        -1,
        lambda d: st.nbinom(d.concentration, d.rate / (1 + d.rate)),
    ),
    "NegativeBinomialLogits": Case(
        lambda x: dist.NegativeBinomialLogits(3.0, x),
        (TWO,),
        -1,
        lambda d: st.nbinom(3.0, 1 / (1 + np.exp(d.logits))),
    ),
    "NegativeBinomialProbs": Case(
        lambda p: dist.NegativeBinomialProbs(3.0, p),
        (V([0.2, 0.9]),),
        1.5,
        lambda d: st.nbinom(3.0, 1 - d.probs),
    ),
    "OneHotCategoricalLogits": Case(dist.OneHotCategoricalLogits, (np.log(SIMPLEX),), V([1, 1, 0])),
    "OneHotCategoricalProbs": Case(
        dist.OneHotCategoricalProbs, (SIMPLEX,), V([0.5, 0.5, 0.0]), lambda d: st.multinomial(1, d.probs)
    ),
    "OrderedLogistic": Case(dist.OrderedLogistic, (TWO, V([-1.0, 0.5, 1.0])), 4),
    "Poisson": Case(dist.Poisson, (TWO,), 0.5, lambda d: st.poisson(d.rate)),
    "ZeroInflatedLogits": Case(lambda g, r: dist.ZeroInflatedLogits(dist.Poisson(r), g), (TWO, TWO), -1),
    "ZeroInflatedNegativeBinomial2": Case(
        lambda g, r: dist.ZeroInflatedNegativeBinomial2(mean=r, concentration=2.0, gate=g),
        (V([0.2, 0.6]), TWO),
        -1,
    ),
    "ZeroInflatedPoisson": Case(lambda g, r: dist.ZeroInflatedPoisson(gate=g, rate=r), (V([0.2, 0.6]), TWO), 0.5),
    "ZeroInflatedProbs": Case(
        lambda g, r: dist.ZeroInflatedProbs(dist.Binomial(4, r), g), (V([0.2, 0.6]), V([0.3, 0.5])), 5
    ),
}
