"""Programs with plates."""

import jax.numpy as jnp
import numpy as np
from programs.case import case, constant
from programs.hand import coin, dirichlet, dirichlet_uniforms, gamma, gamma_cdf, normal
from scipy.stats import norm

import vipl
import vipl.distributions as dist

EFFECTS = np.array([28.0, 8.0, -3.0, 7.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0])


@case
class plate:
    def body():
        mu = vipl.sample("mu", dist.Normal(0.0, 5.0))
        tau = vipl.sample("tau", dist.HalfCauchy(5.0))
        with vipl.plate("school", 4):
            theta = vipl.sample("theta", dist.Normal(mu, tau))
            vipl.sample("y", dist.Normal(theta, constant(ERRORS)), obs=constant(EFFECTS))

    def terms(c):
        return {
            "mu": normal(c["mu"], 0, 5),
            "tau": np.log(2 / np.pi / 5) - np.log1p((c["tau"] / 5) ** 2),
            "theta": normal(c["theta"], c["mu"], c["tau"]),
            "y": normal(EFFECTS, c["theta"], ERRORS),
        }

    def uniforms(c, rng):
        return {
            "mu": norm.cdf(c["mu"], 0, 5),
            "tau": 2 / np.pi * np.arctan(c["tau"] / 5),
            "theta": norm.cdf(c["theta"], c["mu"][:, None], c["tau"][:, None]),
        }


@case
class plates_nested:
    def body():
        with vipl.plate("a", 3):
            u = vipl.sample("u", dist.Normal(0.0, 1.0))
            with vipl.plate("b", 2):
                z = vipl.sample("z", dist.Normal(u, 0.5))
            w = vipl.sample("w", dist.Dirichlet(jnp.array([1.0, 2.0, 3.0])))
        return z, w

    def terms(c):
        # plate a is dim -1, plate b dim -2
        assert c["z"].shape == (2, 3)
        return {
            "u": normal(c["u"]),
            "z": normal(c["z"], c["u"], 0.5),
            "w": dirichlet(c["w"], [1.0, 2.0, 3.0]),
        }

    smooth = False

    def uniforms(c, rng):
        return {
            "u": norm.cdf(c["u"]),
            "z": norm.cdf(c["z"], c["u"][:, None], 0.5),
            "w": dirichlet_uniforms(c["w"], [1.0, 2.0, 3.0]),
        }


@case
class plates_with_dims:
    def body():
        rows, columns = vipl.plate("rows", 3, dim=-2), vipl.plate("columns", 4, dim=-1)
        with rows:
            a = vipl.sample("a", dist.Normal(0.0, 1.0))
        with columns:
            b = vipl.sample("b", dist.Normal(1.0, 2.0))
        with rows, columns:
            vipl.sample("y", dist.Normal(a + b, 1.0), obs=jnp.arange(12.0).reshape(3, 4) / 4)
        with vipl.plate("deep", 2, dim=-3), columns:
            vipl.sample("d", dist.Normal(b, 1.0))

    def terms(c):
        assert c["a"].shape == (3, 1)
        assert c["d"].shape == (2, 1, 4)
        return {
            "a": normal(c["a"]),
            "b": normal(c["b"], 1, 2),
            "y": normal(np.arange(12).reshape(3, 4) / 4, c["a"] + c["b"]),
            "d": normal(c["d"], c["b"]),
        }

    def uniforms(c, rng):
        d = norm.cdf(c["d"], c["b"][:, None, None])
        return {"a": norm.cdf(c["a"]), "b": norm.cdf(c["b"], 1, 2), "d": d}


@case
class plate_of_none:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        with vipl.plate("none", 0):
            z = vipl.sample("z", dist.Normal(x, 1.0))
            vipl.sample("g", dist.Gamma(2.0, 1.0))
            vipl.sample("w", dist.Dirichlet(jnp.ones(3)))
            vipl.sample("y", dist.Normal(z, 1.0), obs=jnp.zeros(0))
            vipl.factor("f", z)

    def terms(c):
        assert c["w"].shape == (0, 3)
        return {"x": normal(c["x"]), "z": 0.0, "g": 0.0, "w": 0.0, "y": 0.0, "f": 0.0}


@case
class plate_of_one:
    def body():
        with vipl.plate("one", 1):
            z = vipl.sample("z", dist.Normal(1.0, 2.0))
            vipl.sample("y", dist.Normal(z, 1.0), obs=jnp.array([0.5]))
        return z[0]

    def terms(c):
        return {"z": normal(c["z"], 1, 2), "y": normal(0.5, c["z"])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], 1, 2)}


@case
class plate_subsampled:
    def body():
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 12, subsample_size=3) as index:
            z = vipl.sample("z", dist.Normal(mu, 1.0))
            vipl.sample("y", dist.Normal(z, 0.5), obs=jnp.arange(12.0)[index] / 12)
            vipl.factor("f", -0.1 * z)

    def terms(c):
        y = c["data"] / 12
        z = normal(c["z"], c["mu"])
        return {"mu": normal(c["mu"]), "z": 4 * z, "y": 4 * normal(y, c["z"], 0.5), "f": -0.4 * c["z"].sum()}

    def uniforms(c, rng):
        first = (c["data"][:, 0] + rng.uniform(size=len(c["data"]))) / 12
        second = c["data"][:, 1] - (c["data"][:, 1] > c["data"][:, 0])
        second = (second + rng.uniform(size=len(second))) / 11
        return {"data": np.stack([first, second], -1), "z": norm.cdf(c["z"], c["mu"][:, None])}


@case
class plate_subsampled_with_indices:
    def body():
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with (
            vipl.plate("data", 10, subsample_size=4) as index,
            vipl.plate("more", 6, subsample_size=3) as other,
        ):
            data = jnp.arange(60.0).reshape(6, 10) / 60
            vipl.sample("y", dist.Normal(mu, 1.0), obs=data[other[:, None], index])

    def build(program):
        return program | {"data": jnp.array([1, 3, 5, 7]), "more": np.array([0, 2, 4])}

    def terms(c):
        data = (10 * np.array([[0], [2], [4]]) + np.array([1, 3, 5, 7])) / 60
        return {"mu": normal(c["mu"]), "y": 5 * normal(data, c["mu"])}


@case
class plate_subsampled_twice_entered:
    def body():
        data = vipl.plate("data", 200, subsample_size=2)
        with data as index:
            z = vipl.sample("z", dist.Normal(index.astype(float) / 200, 1.0))
        with data as again:
            vipl.sample("y", dist.Normal(z, 1.0), obs=again.astype(float) / 200)

    def terms(c):
        loc = c["data"] / 200
        return {"z": 100 * normal(c["z"], loc), "y": 100 * normal(loc, c["z"])}


@case
class plate_of_events:
    def body():
        with vipl.plate("k", 2):
            rate = vipl.sample("rate", dist.Gamma(jnp.array([2.0, 3.0]), 1.0))
            x = vipl.sample("x", dist.Normal(jnp.zeros(3), 1.0).to_event(1))
            vipl.sample("y", dist.Normal(x, rate[:, None]).to_event(1))
            vipl.sample("coin", dist.Bernoulli(0.3))

    def terms(c):
        p = np.where(c["coin"] > 0, 0.3, 0.7)
        return {
            "rate": gamma(c["rate"], [2.0, 3.0]),
            "x": normal(c["x"]),
            "y": normal(c["y"], c["x"], c["rate"][:, None]),
            "coin": np.log(p).sum(),
        }

    def uniforms(c, rng):
        return {
            "rate": gamma_cdf(c["rate"], [2.0, 3.0]),
            "x": norm.cdf(c["x"]),
            "y": norm.cdf(c["y"], c["x"], c["rate"][..., None]),
            "coin": coin(c["coin"], 0.3, rng),
        }


@case
class plate_of_factors:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.factor("scalar", -0.5 * x**2)
        vipl.factor("vector", jnp.array([1.0, 2.0]) * x)
        with vipl.plate("p", 3):
            vipl.factor("shared", x)  # counts once for each element
            vipl.factor("own", jnp.arange(3.0) * x)

    def terms(c):
        x = c["x"]
        return {"x": normal(x), "scalar": -0.5 * x**2, "vector": 3 * x, "shared": 3 * x, "own": 3 * x}
