"""Distributions made of other distributions."""

import jax.numpy as jnp
import numpy as np
import scipy.stats as st

import vipl.distributions as dist
from distribution_cases.case import TWO, Case, V

constraints = dist.constraints

transforms = dist.transforms


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


def _euler(scale):
    return dist.EulerMaruyama(jnp.arange(4.0), lambda x, t: (-x, scale * jnp.ones_like(x)), dist.Normal(0.0, scale))


def _euler_from(loc, scale):
    return dist.EulerMaruyama(jnp.arange(3.0), lambda x, t: (-0.5 * x, 0.8 * jnp.ones_like(x)), dist.Normal(loc, scale))


def _skewed(skewness):
    return dist.SineSkewed(dist.VonMises(jnp.zeros(2), jnp.ones(2)).to_event(1), skewness)


CASES = {
    "Delta": Case(dist.Delta, (TWO, V([0.0, 1.0])), 7.0),
    "DoublyTruncatedPowerLaw": Case(lambda a: dist.DoublyTruncatedPowerLaw(a, 0.5, 2.0), (V([-1.5, 0.7]),), 2.5),
    "EulerMaruyama": Case(_euler, (V(0.7),)),
    "EulerMaruyama-start": Case(_euler_from, (V(0.4), V(0.7))),
    "ExpandedDistribution": Case(lambda r: dist.Exponential(r).expand([3, 2]), (TWO,), -1.0),
    "ExpandedDistribution-interstitial": Case(
        lambda r: dist.Gamma(r, r).expand([3, 2]), (V([[0.7], [1.6], [2.0]]),), -1.0
    ),
    "FoldedDistribution": Case(
        lambda loc, scale: dist.FoldedDistribution(dist.Normal(loc, scale)),
        (TWO, TWO),
        -1.0,
        lambda d: st.foldnorm(d.base_dist.loc / d.base_dist.scale, scale=d.base_dist.scale),
    ),
    "FoldedDistribution-narrow": Case(lambda high: dist.FoldedDistribution(dist.Uniform(-0.5, high)), (TWO,), 1.8),
    "GaussianCopula": Case(
        lambda a, b: dist.GaussianCopula(
            dist.LogNormal(a, b), correlation_cholesky=jnp.array([[1.0, 0.0], [0.6, 0.8]])
        ),
        (TWO, TWO),
        V([1.0, -1.0]),
    ),
    "GaussianCopulaBeta": Case(
        lambda a, b: dist.GaussianCopulaBeta(a, b, correlation_cholesky=jnp.array([[1.0, 0.0], [0.6, 0.8]])),
        (TWO, TWO),
        V([0.5, 1.5]),
        samples=False,
        differentiable=False,  # wants TensorFlow Probability
    ),
    "ImproperUniform": Case(
        lambda: dist.ImproperUniform(constraints.positive, (2,), (3,)), (), V([1.0, -1.0, 2.0]), samples=False
    ),
    "Independent": Case(lambda r: dist.Exponential(r).to_event(1), (TWO,), V([1.0, -1.0])),
    "Independent-expanded": Case(
        lambda r: dist.Exponential(r).expand([3, 2]).to_event(2), (TWO,), np.full((3, 2), -1.0)
    ),
    "IntervalCensoredDistribution": Case(
        lambda r: dist.IntervalCensoredDistribution(dist.Exponential(r), V([0, 1]), V([0, 0])),
        (TWO,),
        V([-2.0, -1.0]),
        samples=False,
    ),
    "LeftCensoredDistribution": Case(
        lambda r: dist.LeftCensoredDistribution(dist.Exponential(r), V([0, 1])), (TWO,), -1.0, samples=True
    ),
    "LeftTruncatedDistribution": Case(
        lambda loc, low: dist.LeftTruncatedDistribution(dist.Normal(loc, 1.0), low),
        (TWO, TWO),
        -9.0,
        lambda d: st.truncnorm(d.low - d.base_dist.loc, np.inf, d.base_dist.loc),
    ),
    "LeftTruncatedGamma": Case(lambda a, low: dist.LeftTruncatedGamma(dist.Gamma(a, 1.0), low), (TWO, TWO), 0.1),
    "LowerTruncatedPowerLaw": Case(lambda a, low: dist.LowerTruncatedPowerLaw(a, low), (V([-1.5, -2.7]), TWO), 0.1),
    "MaskedDistribution": Case(lambda r: dist.Exponential(r).mask(V([True, True])), (TWO,), -1.0),
    "MixtureGeneral": Case(_mixture_general, (V([0.3, 0.9]), V(0.7))),
    "MixtureGeneral-narrow": Case(_mixture_narrow, (V([0.3, 0.9]), V(1.7)), 2.0),
    "MixtureSameFamily": Case(_mixture, (V([0.3, 0.9]), V([[0.0, 1.0], [2.0, 3.0]]))),
    "MixtureSameFamily-positive": Case(_mixture_positive, (V([0.3, 0.9]), V([[1.0, 2.0], [2.0, 3.0]])), -1.0),
    "RightCensoredDistribution": Case(
        lambda r: dist.RightCensoredDistribution(dist.Exponential(r), V([0, 1])), (TWO,), -1.0
    ),
    "RightTruncatedDistribution": Case(
        lambda loc, high: dist.RightTruncatedDistribution(dist.Cauchy(loc, 1.0), high), (TWO, TWO), 9.0
    ),
    "RightTruncatedGamma": Case(lambda a, high: dist.RightTruncatedGamma(dist.Gamma(a, 1.0), high), (TWO, TWO), 3.0),
    "SineSkewed": Case(_skewed, (V([0.3, -0.2]),), V([0.0, 4.0])),
    "TransformedDistribution": Case(_affine_uniform, (V([1.0, 2.0]), V([2.0, -3.0])), 5.0),
    "TransformedDistribution-chain": Case(_chain, (TWO, TWO), 0.1),
    "TruncatedPolyaGamma": Case(lambda: dist.TruncatedPolyaGamma((2,)), (), 3.0),
    "TwoSidedTruncatedDistribution": Case(
        lambda loc: dist.TruncatedNormal(loc, 1.0, low=-0.5, high=1.0),
        (TWO,),
        1.5,
        lambda d: st.truncnorm(-0.5 - d.base_dist.loc, 1.0 - d.base_dist.loc, d.base_dist.loc),
    ),
    "TwoSidedTruncatedGamma": Case(
        lambda a, low: dist.TwoSidedTruncatedGamma(dist.Gamma(a, 1.0), low, 3.0), (TWO, TWO), 3.5
    ),
    "Unit": Case(dist.Unit, (TWO,)),
}
