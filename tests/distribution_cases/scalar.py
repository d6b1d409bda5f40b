"""Continuous distributions of single numbers."""

import numpy as np
import scipy.stats as st

import vipl.distributions as dist
from distribution_cases.case import TWO, Case, V

CASES = {
    "AsymmetricLaplace": Case(dist.AsymmetricLaplace, (TWO, TWO, 1.5)),
    "AsymmetricLaplaceQuantile": Case(dist.AsymmetricLaplaceQuantile, (TWO, TWO, 0.3)),
    "Beta": Case(dist.Beta, (TWO, V([2.0, 0.8])), -0.1, lambda d: st.beta(d.concentration1, d.concentration0)),
    "BetaProportion": Case(
        dist.BetaProportion,
        (V([0.3, 0.6]), V([2.0, 5.0])),
        1.5,
        lambda d: st.beta(d.concentration1, d.concentration0),
    ),
    "Cauchy": Case(dist.Cauchy, (TWO, TWO), None, lambda d: st.cauchy(d.loc, d.scale)),
    "Chi2": Case(dist.Chi2, (V([2.0, 5.0]),), -1.0, lambda d: st.chi2(d.df)),
    "Dagum": Case(dist.Dagum, (V([2.0, 3.0]), TWO, TWO), -1.0),
    "Exponential": Case(dist.Exponential, (TWO,), -1.0, lambda d: st.expon(scale=1 / d.rate)),
    "Gamma": Case(dist.Gamma, (TWO, V([2.0, 0.8])), -1.0, lambda d: st.gamma(d.concentration, scale=1 / d.rate)),
    "Gompertz": Case(
        dist.Gompertz, (TWO, V([2.0, 0.8])), -1.0, lambda d: st.gompertz(d.concentration, scale=1 / d.rate)
    ),
    "Gumbel": Case(dist.Gumbel, (TWO, TWO), None, lambda d: st.gumbel_r(d.loc, d.scale)),
    "HalfCauchy": Case(dist.HalfCauchy, (TWO,), -1.0, lambda d: st.halfcauchy(scale=d.scale)),
    "HalfNormal": Case(dist.HalfNormal, (TWO,), -1.0, lambda d: st.halfnorm(scale=d.scale)),
    "InverseGamma": Case(
        dist.InverseGamma, (V([3.0, 4.0]), TWO), -1.0, lambda d: st.invgamma(d.concentration, scale=d.rate)
    ),
    "Kumaraswamy": Case(dist.Kumaraswamy, (V([1.5, 2.0]), V([2.0, 1.8])), 1.2),
    "Laplace": Case(dist.Laplace, (TWO, TWO), None, lambda d: st.laplace(d.loc, d.scale)),
    "Levy": Case(dist.Levy, (TWO, TWO), -3.0, lambda d: st.levy(d.loc, d.scale)),
    "LogGamma": Case(
        dist.LogGamma, (TWO, V([2.0, 0.8])), None, lambda d: st.loggamma(d.concentration, loc=-np.log(d.rate))
    ),
    "LogNormal": Case(dist.LogNormal, (TWO, TWO), -1.0, lambda d: st.lognorm(d.scale, scale=np.exp(d.loc))),
    "LogUniform": Case(dist.LogUniform, (V([0.5, 1.0]), V([2.0, 3.0])), 5.0, lambda d: st.loguniform(d.low, d.high)),
    "Logistic": Case(dist.Logistic, (TWO, TWO), None, lambda d: st.logistic(d.loc, d.scale)),
    "Normal": Case(dist.Normal, (TWO, TWO), None, lambda d: st.norm(d.loc, d.scale)),
    "Pareto": Case(dist.Pareto, (TWO, V([3.0, 2.0])), 0.1, lambda d: st.pareto(d.alpha, scale=d.scale)),
    "RelaxedBernoulliLogits": Case(dist.RelaxedBernoulliLogits, (TWO, TWO), 1.5),
    "SoftLaplace": Case(dist.SoftLaplace, (TWO, TWO), None, lambda d: st.hypsecant(d.loc, d.scale)),
    "StudentT": Case(dist.StudentT, (V([3.0, 5.0]), TWO, TWO), None, lambda d: st.t(d.df, d.loc, d.scale)),
    "Uniform": Case(dist.Uniform, (V([0.0, -1.0]), V([1.0, 3.0])), 4.0, lambda d: st.uniform(d.low, d.high - d.low)),
    "VonMises": Case(dist.VonMises, (V([0.0, 1.0]), TWO), 4.0, lambda d: st.vonmises(d.concentration, d.loc)),
    "Weibull": Case(dist.Weibull, (TWO, V([2.0, 0.8])), -1.0, lambda d: st.weibull_min(d.concentration, scale=d.scale)),
}
