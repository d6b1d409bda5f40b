"""Programs with branches: cond and switch."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from programs.case import case, constant
from programs.hand import bernoulli, categorical, coin, discrete, gamma, gamma_cdf, mvn, normal, where_ran
from scipy import stats
from scipy.stats import norm

import vipl
import vipl.distributions as dist

THIRDS = np.array([0.2, 0.5, 0.3])


@case
class cond:
    def body():
        p = vipl.sample("p", dist.Bernoulli(0.4))
        x = lax.cond(
            p > 0,
            lambda: vipl.sample("a", dist.Normal(1.0, 2.0)),
            lambda: vipl.sample("b", dist.Gamma(2.0, 1.0)),
        )
        vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)
        return x

    def terms(c):
        p = c["p"] > 0
        return {
            "p": bernoulli(c["p"], 0.4),
            "a": normal(c["a"], 1, 2) if p else 0.0,
            "b": 0.0 if p else gamma(c["b"], 2.0),
            "y": normal(0.5, c["a"] if p else c["b"]),
        }

    def uniforms(c, rng):
        p = c["p"] > 0
        a, b = norm.cdf(c["a"], 1, 2), stats.gamma.cdf(c["b"], 2.0)
        return {"p": coin(c["p"], 0.4, rng), "a": where_ran(p, a, rng), "b": where_ran(~p, b, rng)}


@case
class cond_on_one_address:
    def body():
        p = vipl.sample("p", dist.Bernoulli(0.5))
        vipl.sample("first", dist.Normal(0.0, 1.0))
        return lax.cond(
            p > 0,
            lambda s: vipl.sample("z", dist.Normal(jnp.array([0.0, 1.0]), s)),
            lambda s: vipl.sample("z", dist.Gamma(jnp.array([2.0, 3.0]), s)),
            1.5,
        )

    def terms(c):
        z = c["z"]
        taken = normal(z, [0.0, 1.0], 1.5) if c["p"] > 0 else gamma(z, [2.0, 3.0], 1.5)
        return {"p": np.log(0.5), "first": normal(c["first"]), "z": taken}

    def uniforms(c, rng):
        z, p = c["z"], c["p"][:, None] > 0
        mixed = np.where(p, norm.cdf(z, [0.0, 1.0], 1.5), gamma_cdf(z, [2.0, 3.0], 1.5))
        return {"p": coin(c["p"], 0.5, rng), "first": norm.cdf(c["first"]), "z": mixed}


@case
class cond_with_axes_of_two_kinds:
    """One address, twice of shape (3,): in a plate, and as one vector."""

    def body():
        def in_plate():
            with vipl.plate("k", 3):
                return vipl.sample("z", dist.Normal(0.0, 1.0))

        def as_vector():
            return vipl.sample("z", dist.MultivariateNormal(jnp.ones(3), jnp.eye(3)))

        return lax.cond(vipl.sample("p", dist.Bernoulli(0.5)) > 0, in_plate, as_vector)

    def terms(c):
        return {"p": np.log(0.5), "z": normal(c["z"], 0.0 if c["p"] > 0 else 1.0)}


@case
class cond_scanned_or_not:
    """One address in a plate, and in a scan whose steps take it or not."""

    def body():
        def in_plate():
            with vipl.plate("k", 3):
                return vipl.sample("z", dist.Normal(0.0, 1.0))

        def in_scan():
            def step(carry, x):
                return carry, lax.cond(x > 0, lambda: vipl.sample("z", dist.Normal(x, 1.0)), lambda: 0.0)

            return lax.scan(step, 0.0, jnp.arange(3.0))[1]

        return lax.cond(vipl.sample("p", dist.Bernoulli(0.5)) > 0, in_plate, in_scan)

    def terms(c):
        z = c["z"]
        taken = normal(z) if c["p"] > 0 else normal(z[1:], np.array([1.0, 2.0]))
        return {"p": np.log(0.5), "z": taken}


@case
class switch:
    def body():
        k = vipl.sample("k", dist.Categorical(constant(THIRDS)))
        shift = vipl.sample("shift", dist.Normal(0.0, 1.0))

        def first(s):
            vipl.factor("bonus", 0.25 * s)
            return vipl.sample("a", dist.Normal(s, 1.0))

        def second(s):
            vipl.sample("y", dist.Normal(s, 0.5), obs=0.75)
            return vipl.sample("a", dist.Laplace(s, 1.0)) + vipl.sample("b", dist.Exponential(2.0))

        return lax.switch(k, [first, second, lambda s: 2.0 * s], shift)

    def terms(c):
        k, s = c["k"], c["shift"]
        a = {0: normal(c["a"], s), 1: stats.laplace.logpdf(c["a"], s), 2: 0.0}[int(k)]
        return {
            "k": categorical(k, THIRDS),
            "shift": normal(s),
            "bonus": 0.25 * s if k == 0 else 0.0,
            "y": normal(0.75, s, 0.5) if k == 1 else 0.0,
            "a": a,
            "b": np.log(2.0) - 2 * c["b"] if k == 1 else 0.0,
        }

    def uniforms(c, rng):
        k, s = c["k"], c["shift"]
        a = np.where(k == 0, norm.cdf(c["a"], s), stats.laplace.cdf(c["a"], s))
        law = stats.rv_discrete(values=([0, 1, 2], THIRDS))
        return {
            "k": discrete(law, k, rng),
            "shift": norm.cdf(s),
            "a": where_ran(k < 2, a, rng),
            "b": where_ran(k == 1, -np.expm1(-2 * c["b"]), rng),
        }


@case
class conds_nested:
    def body():
        p = vipl.sample("p", dist.Bernoulli(0.5))
        q = vipl.sample("q", dist.Bernoulli(0.3))

        def inner(loc):
            return lax.cond(
                q > 0,
                lambda: vipl.sample("x", dist.Normal(loc, 1.0)),
                lambda: vipl.sample("w", dist.Normal(loc, 2.0)),
            )

        return lax.cond(p > 0, lambda: inner(1.0), lambda: vipl.sample("x", dist.Normal(-1.0, 0.5)))

    def terms(c):
        p, q = c["p"] > 0, c["q"] > 0
        x = (normal(c["x"], 1.0) if q else 0.0) if p else normal(c["x"], -1.0, 0.5)
        return {
            "p": np.log(0.5),
            "q": bernoulli(c["q"], 0.3),
            "x": x,
            "w": normal(c["w"], 1, 2) if p and not q else 0.0,
        }

    def uniforms(c, rng):
        p, q = c["p"] > 0, c["q"] > 0
        x = np.where(p, norm.cdf(c["x"], 1.0), norm.cdf(c["x"], -1.0, 0.5))
        return {
            "p": coin(c["p"], 0.5, rng),
            "q": coin(c["q"], 0.3, rng),
            "x": where_ran(~p | q, x, rng),
            "w": where_ran(p & ~q, norm.cdf(c["w"], 1, 2), rng),
        }


@case
class cond_of_events:
    """Branches with plates, deterministic values and vectors, on a predicate that no site decides."""

    def body():
        def left(x):
            with vipl.plate("k", 2):
                g = vipl.sample("g", dist.Gamma(2.0, 1.0))
            return vipl.deterministic("out", g.sum() + x)

        def right(x):
            v = vipl.sample("v", dist.MultivariateNormal(jnp.zeros(2), jnp.eye(2) * 4.0))
            return vipl.deterministic("out", v.sum() * x)

        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        out = lax.cond(jnp.arange(3).sum() > 5, left, right, x)
        vipl.sample("y", dist.Normal(out, 1.0), obs=0.0)

    def terms(c):
        out = c["v"].sum() * c["x"]
        return {"x": normal(c["x"]), "g": 0.0, "v": mvn(c["v"], 0.0, 4 * np.eye(2)), "y": normal(0.0, out)}
