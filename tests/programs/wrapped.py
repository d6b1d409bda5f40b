"""Distributions made of distributions: transformed, masked, mixed, expanded."""

import jax.numpy as jnp
import numpy as np
from programs.case import case, constant
from programs.hand import discrete, exponential, gamma, normal
from scipy import special, stats
from scipy.stats import norm

import vipl
import vipl.distributions as dist

WEIGHTS = np.array([0.3, 0.7])


@case
class correlations:
    def body():
        vipl.sample("L", dist.LKJCholesky(3, 2.0))

    def terms(c):
        # LKJ (2009), as a density of the Cholesky factor: Π_k L_kk^(K - k - 1 + 2 (η - 1)) over a constant
        diagonal = np.diagonal(c["L"])[1:]
        kernel = (np.array([3.0, 2.0]) * np.log(diagonal)).sum()
        # integrated row by row over the ball of R^k, where L_kk² = 1 - r²
        constant = 0.0
        for k, power in ((1, 3.0), (2, 2.0)):
            half = k / 2
            area = np.log(2) + half * np.log(np.pi) - special.gammaln(half)  # of the unit sphere in R^k
            constant += area + np.log(0.5) + special.betaln(half, power / 2 + 1)
        return {"L": kernel - constant}

    smooth = False

    def uniforms(c, rng):
        # the correlation (1, 0) and the squared radius of row 2
        r = c["L"][:, 1, 0]
        radius = (c["L"][:, 2, :2] ** 2).sum(-1)
        angle = np.arctan2(c["L"][:, 2, 1], c["L"][:, 2, 0]) / (2 * np.pi) % 1.0
        first = stats.beta.cdf((r + 1) / 2, 2.5, 2.5)
        return {"L": np.stack([first, stats.beta.cdf(radius, 1.0, 2.0), angle], -1)}


@case
class transformed:
    def body():
        scale = vipl.sample("scale", dist.LogNormal(0.0, 0.5))
        exp_affine = [dist.transforms.AffineTransform(1.0, scale), dist.transforms.ExpTransform()]
        vipl.sample("x", dist.TransformedDistribution(dist.Normal(jnp.zeros(2), 1.0), exp_affine))
        vipl.sample("u", dist.TransformedDistribution(dist.Normal(0.5, 1.0), dist.transforms.SigmoidTransform()))

    def terms(c):
        s, x, u = c["scale"], c["x"], c["u"]
        return {
            "scale": normal(np.log(s), 0, 0.5) - np.log(s),
            "x": normal(np.log(x), 1.0, s) - np.log(x).sum(),
            "u": normal(np.log(u) - np.log1p(-u), 0.5) - np.log(u) - np.log1p(-u),
        }

    def uniforms(c, rng):
        return {
            "scale": norm.cdf(np.log(c["scale"]), 0, 0.5),
            "x": norm.cdf(np.log(c["x"]), 1.0, c["scale"][:, None]),
            "u": norm.cdf(special.logit(c["u"]), 0.5),
        }


@case
class masked:
    def body():
        x = vipl.sample("x", dist.Normal(jnp.zeros(3), 2.0).mask(jnp.array([True, False, True])))
        missing = dist.Normal(x, 1.0).mask(jnp.array([True, True, False]))
        vipl.sample("y", missing, obs=jnp.array([0.5, -0.5, 99.0]))

    def terms(c):
        kept = np.array([0, 2])
        y = np.array([0.5, -0.5])
        return {"x": normal(c["x"][kept], 0, 2), "y": normal(y, c["x"][:2])}

    def uniforms(c, rng):
        return {"x": norm.cdf(c["x"], 0, 2)}


@case
class mixtures:
    def body():
        mixing = dist.Categorical(constant(WEIGHTS))
        same = dist.MixtureSameFamily(mixing, dist.Normal(jnp.array([-1.0, 2.0]), jnp.array([0.5, 1.0])))
        x = vipl.sample("x", same)
        general = dist.MixtureGeneral(mixing, [dist.Normal(x, 1.0), dist.StudentT(5.0, 0.0, 1.0)])
        vipl.sample("y", general, obs=0.25)
        vipl.sample("w", dist.MixtureGeneral(mixing, [dist.Normal(-2.0, 0.5), dist.Laplace(0.0, 1.0)]))

    def terms(c):
        parts = norm.pdf(c["x"], [-1.0, 2.0], [0.5, 1.0])
        y = [norm.pdf(0.25, c["x"]), stats.t.pdf(0.25, 5)]
        w = [norm.pdf(c["w"], -2, 0.5), stats.laplace.pdf(c["w"])]
        return {"x": np.log(WEIGHTS @ parts), "y": np.log(WEIGHTS @ y), "w": np.log(WEIGHTS @ w)}

    def uniforms(c, rng):
        x, w = c["x"][:, None], c["w"]
        return {
            "x": norm.cdf(x, [-1.0, 2.0], [0.5, 1.0]) @ WEIGHTS,
            "w": WEIGHTS[0] * norm.cdf(w, -2, 0.5) + WEIGHTS[1] * stats.laplace.cdf(w),
        }


@case
class points:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("at", dist.Delta(x, log_density=-0.75))
        vipl.sample("v", dist.Delta(jnp.array([1.0, 2.0]), event_dim=1))

    def terms(c):
        return {"x": normal(c["x"]), "at": -0.75, "v": 0.0}

    smooth = False

    def uniforms(c, rng):
        return {"x": norm.cdf(c["x"])}


@case
class shapes:
    def body():
        a = vipl.sample("a", dist.Normal(0.0, 1.0).expand([2, 3]).to_event(1))
        b = vipl.sample("b", dist.Gamma(2.0, 1.0).expand([3]).to_event(1))
        vipl.sample("c", dist.Normal(a + b, jnp.ones(())).to_event(2))
        vipl.sample("d", dist.Exponential(jnp.array([[1.0], [2.0]])).expand([2, 2]))

    def terms(c):
        return {
            "a": normal(c["a"]),
            "b": gamma(c["b"], 2.0),
            "c": normal(c["c"], c["a"] + c["b"]),
            "d": exponential(c["d"], np.array([[1.0], [2.0]])),
        }

    def uniforms(c, rng):
        return {
            "a": norm.cdf(c["a"]),
            "b": stats.gamma.cdf(c["b"], 2.0),
            "c": norm.cdf(c["c"], c["a"] + c["b"][:, None]),
            "d": -np.expm1(-np.array([[1.0], [2.0]]) * c["d"]),
        }


@case
class improper_observed:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        flat = dist.ImproperUniform(dist.constraints.positive, (), ())
        vipl.sample("flat", flat, obs=2.0)
        vipl.sample("y", dist.Normal(x, 1.0), obs=1)

    def terms(c):
        return {"x": normal(c["x"]), "flat": 0.0, "y": normal(1.0, c["x"])}


@case
class circular:
    def body():
        mu = vipl.sample("mu", dist.Uniform(-1.0, 1.0))
        vipl.sample("x", dist.VonMises(mu, 2.0))
        vipl.sample("n", dist.NegativeBinomial2(3.0, 2.0))

    def terms(c):
        log_bessel = np.log(special.i0e(2.0)) + 2.0
        return {
            "mu": -np.log(2.0),
            "x": 2.0 * np.cos(c["x"] - c["mu"]) - np.log(2 * np.pi) - log_bessel,
            "n": stats.nbinom.logpmf(c["n"], 2.0, 0.4),
        }

    def uniforms(c, rng):
        turned = (c["x"] - c["mu"] + np.pi) % (2 * np.pi) - np.pi
        return {
            "mu": (c["mu"] + 1) / 2,
            "x": stats.vonmises.cdf(turned, 2.0),
            "n": discrete(stats.nbinom(2.0, 0.4), c["n"], rng),
        }
