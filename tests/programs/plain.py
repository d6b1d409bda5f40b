"""Programs without constructs: straight lines, and distributions of every kind."""

import jax.numpy as jnp
import numpy as np
from programs.case import case, constant
from programs.hand import (
    bernoulli,
    beta,
    categorical,
    coin,
    dirichlet,
    dirichlet_uniforms,
    discrete,
    exponential,
    gamma,
    gamma_cdf,
    mvn,
    mvn_uniforms,
    normal,
    poisson,
)
from scipy import special, stats
from scipy.stats import norm

import vipl
import vipl.distributions as dist

COVARIANCE = np.array([[2.0, 0.5], [0.5, 1.0]])
PRECISION = np.array([[1.5, -0.5], [-0.5, 2.0]])
TRIL = np.array([[1.2, 0.0], [-0.3, 0.7]])


@case
class nothing:
    def body():
        return jnp.ones(2)

    def terms(c):
        return {}


@case
class normal_chain:
    def body():
        mu = vipl.sample("mu", dist.Normal(1.0, 2.0))
        tau = vipl.sample("tau", dist.HalfNormal(1.5))
        x = vipl.sample("x", dist.Normal(mu, tau))
        vipl.sample("y", dist.Normal(jnp.array([x, 2 * x]), 0.5), obs=jnp.array([0.3, -0.1]))
        return x

    def terms(c):
        return {
            "mu": normal(c["mu"], 1, 2),
            "tau": normal(c["tau"], 0, 1.5) + np.log(2),
            "x": normal(c["x"], c["mu"], c["tau"]),
            "y": normal(np.array([0.3, -0.1], c["x"].dtype), np.array([c["x"], 2 * c["x"]]), 0.5),
        }

    def uniforms(c, rng):
        tau = 2 * norm.cdf(c["tau"], 0, 1.5) - 1
        return {"mu": norm.cdf(c["mu"], 1, 2), "tau": tau, "x": norm.cdf(c["x"], c["mu"], c["tau"])}


@case
class positive:
    def body():
        a = vipl.sample("a", dist.Gamma(2.5, 1.5))
        b = vipl.sample("b", dist.LogNormal(0.25, jnp.array([0.5, 1.0])))
        c = vipl.sample("c", dist.Exponential(a))
        vipl.sample("d", dist.InverseGamma(3.0, 2.0))
        vipl.sample("e", dist.Weibull(2.0, 1.5))
        return vipl.sample("f", dist.HalfCauchy(b.sum() + c))

    def terms(c):
        scale = c["b"].sum() + c["c"]
        return {
            "a": gamma(c["a"], 2.5, 1.5),
            "b": normal(np.log(c["b"]), 0.25, [0.5, 1.0]) - np.log(c["b"]).sum(),
            "c": exponential(c["c"], c["a"]),
            "d": stats.invgamma.logpdf(c["d"], 3.0, scale=2.0),
            "e": stats.weibull_min.logpdf(c["e"], 1.5, scale=2.0),
            "f": np.log(2 / np.pi / scale) - np.log1p((c["f"] / scale) ** 2),
        }

    def uniforms(c, rng):
        return {
            "a": gamma_cdf(c["a"], 2.5, 1.5),
            "b": norm.cdf(np.log(c["b"]), 0.25, [0.5, 1.0]),
            "c": -np.expm1(-c["a"] * c["c"]),
            "d": stats.invgamma.cdf(c["d"], 3.0, scale=2.0),
            "e": stats.weibull_min.cdf(c["e"], 1.5, scale=2.0),
            "f": 2 / np.pi * np.arctan(c["f"] / (c["b"].sum(-1) + c["c"])),
        }


@case
class interval:
    def body():
        low = vipl.sample("low", dist.Beta(2.0, 3.0))
        vipl.sample("x", dist.Uniform(-low, jnp.array([1.0, 2.0])))
        vipl.sample("k", dist.Kumaraswamy(2.0, 1.5))
        vipl.sample("t", dist.TruncatedNormal(low, 0.75, low=-0.5, high=1.25))

    def terms(c):
        inside = norm.cdf(1.25, c["low"], 0.75) - norm.cdf(-0.5, c["low"], 0.75)
        k = c["k"]
        return {
            "low": beta(c["low"], 2, 3),
            "x": -np.log(np.array([1.0, 2.0]) + c["low"]).sum(),
            "k": np.log(3.0) + np.log(k) + 0.5 * np.log1p(-(k**2)),
            "t": normal(c["t"], c["low"], 0.75) - np.log(inside),
        }

    def uniforms(c, rng):
        low = c["low"]
        edges = norm.cdf([[-0.5], [1.25]], low, 0.75)
        return {
            "low": stats.beta.cdf(low, 2, 3),
            "x": (c["x"] + low[:, None]) / (np.array([1.0, 2.0]) + low[:, None]),
            "k": 1 - (1 - c["k"] ** 2) ** 1.5,
            "t": (norm.cdf(c["t"], low, 0.75) - edges[0]) / (edges[1] - edges[0]),
        }


@case
class heavy_tails:
    def body():
        vipl.sample("t", dist.StudentT(4.0, 1.0, 2.0))
        vipl.sample("l", dist.Laplace(jnp.array([0.0, 1.0]), 0.5))
        vipl.sample("c", dist.Cauchy(0.5, 2.0))
        vipl.sample("g", dist.Gumbel(0.5, 2.0))
        vipl.sample("s", dist.Logistic(-1.0, 0.5))

    def terms(c):
        return {
            "t": stats.t.logpdf(c["t"], 4, 1, 2),
            "l": (-np.abs(c["l"] - np.array([0.0, 1.0])) / 0.5 - np.log(1.0)).sum(),
            "c": -np.log(np.pi * 2) - np.log1p(((c["c"] - 0.5) / 2) ** 2),
            "g": stats.gumbel_r.logpdf(c["g"], 0.5, 2),
            "s": stats.logistic.logpdf(c["s"], -1, 0.5),
        }

    def uniforms(c, rng):
        return {
            "t": stats.t.cdf(c["t"], 4, 1, 2),
            "l": stats.laplace.cdf(c["l"], [0.0, 1.0], 0.5),
            "c": stats.cauchy.cdf(c["c"], 0.5, 2),
            "g": stats.gumbel_r.cdf(c["g"], 0.5, 2),
            "s": stats.logistic.cdf(c["s"], -1, 0.5),
        }


@case
class counts:
    def body():
        n = vipl.sample("n", dist.Poisson(jnp.array([3.0, 0.5])))
        vipl.sample("k", dist.Binomial(7, 0.3))
        vipl.sample("g", dist.GeometricProbs(0.25))
        vipl.sample("z", dist.ZeroInflatedPoisson(0.25, 2.0))
        vipl.sample("y", dist.Normal(n.astype(float), 1.0), obs=jnp.array([2.0, 1.0]))

    def terms(c):
        zero = c["z"] == 0
        return {
            "n": poisson(c["n"], np.array([3.0, 0.5])),
            "k": np.log(special.comb(7, c["k"])) + c["k"] * np.log(0.3) + (7 - c["k"]) * np.log(0.7),
            "g": np.log(0.25) + c["g"] * np.log(0.75),
            "z": np.where(zero, np.log(0.25 + 0.75 * np.exp(-2.0)), np.log(0.75) + poisson(c["z"], 2.0)),
            "y": normal(np.array([2.0, 1.0]), c["n"]),
        }

    def uniforms(c, rng):
        gate, law = 0.25, stats.poisson(2.0)
        below = np.where(c["z"] > 0, gate, 0.0) + (1 - gate) * law.cdf(c["z"] - 1)
        mass = np.where(c["z"] == 0, gate, 0.0) + (1 - gate) * law.pmf(c["z"])
        return {
            "n": discrete(stats.poisson([3.0, 0.5]), c["n"], rng),
            "k": discrete(stats.binom(7, 0.3), c["k"], rng),
            "g": discrete(stats.geom(0.25, loc=-1), c["g"], rng),
            "z": below + rng.uniform(size=mass.shape) * mass,
        }


@case
class finite:
    def body():
        b = vipl.sample("b", dist.Bernoulli(jnp.array([0.2, 0.7])))
        c = vipl.sample("c", dist.Categorical(jnp.array([0.5, 0.2, 0.3])))
        vipl.sample("d", dist.DiscreteUniform(2, 5))
        vipl.sample("e", dist.Bernoulli(logits=b[0] * 2.0 - c), obs=True)

    def terms(c):
        p = special.expit(c["b"][0] * 2.0 - c["c"])
        return {
            "b": bernoulli(c["b"], [0.2, 0.7]),
            "c": categorical(c["c"], [0.5, 0.2, 0.3]),
            "d": -np.log(4.0),
            "e": np.log(p),
        }

    def uniforms(c, rng):
        law = stats.rv_discrete(values=([0, 1, 2], [0.5, 0.2, 0.3]))
        return {
            "b": coin(c["b"], [0.2, 0.7], rng),
            "c": discrete(law, c["c"], rng),
            "d": discrete(stats.randint(2, 6), c["d"], rng),
        }


@case
class gaussians:
    def body():
        x = vipl.sample("x", dist.MultivariateNormal(jnp.array([1.0, -1.0]), constant(COVARIANCE)))
        vipl.sample("y", dist.MultivariateNormal(x, precision_matrix=constant(PRECISION)))
        return vipl.sample("z", dist.MultivariateNormal(jnp.zeros((3, 2)), scale_tril=constant(TRIL)))

    def terms(c):
        return {
            "x": mvn(c["x"], np.array([1.0, -1.0]), COVARIANCE),
            "y": mvn(c["y"], c["x"], np.linalg.inv(PRECISION)),
            "z": mvn(c["z"], 0.0, TRIL @ TRIL.T),
        }

    def uniforms(c, rng):
        return {
            "x": mvn_uniforms(c["x"], np.array([1.0, -1.0]), COVARIANCE),
            "y": mvn_uniforms(c["y"], c["x"], np.linalg.inv(PRECISION)),
            "z": mvn_uniforms(c["z"], 0.0, TRIL @ TRIL.T),
        }


@case
class simplex:
    def body():
        p = vipl.sample("p", dist.Dirichlet(jnp.array([1.5, 2.0, 3.0])))
        vipl.sample("n", dist.Multinomial(10, p), obs=jnp.array([2, 5, 3]))
        vipl.sample("k", dist.Categorical(p))

    def terms(c):
        n = np.array([2, 5, 3])
        ways = special.gammaln(11.0) - special.gammaln(n + 1.0).sum()
        return {
            "p": dirichlet(c["p"], [1.5, 2.0, 3.0]),
            "n": ways + (n * np.log(c["p"])).sum(),
            "k": categorical(c["k"], c["p"]),
        }

    smooth = False

    def uniforms(c, rng):
        k, p = c["k"].astype(int)[:, None], c["p"]
        below = (p * (np.arange(3) < k)).sum(-1)
        mass = np.take_along_axis(p, k, 1)[:, 0]
        spread = below + rng.uniform(size=below.shape) * mass
        return {"p": dirichlet_uniforms(p, [1.5, 2.0, 3.0]), "k": spread}
