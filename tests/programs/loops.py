"""Programs with loops: scan, fori_loop, map, and loops without sites."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs.case import case, constant
from programs.hand import before, coin, gamma, gamma_cdf, mvn, normal
from scipy import stats
from scipy.stats import norm

import vipl
import vipl.distributions as dist

DATA = np.array([0.5, -0.3, 1.2, 0.1])


@case
class scan_forward:
    def body():
        def step(z, y):
            z = vipl.sample("z", dist.Normal(0.5 * z, 1.0))
            vipl.sample("y", dist.Normal(z, 0.5), obs=y)
            vipl.factor("f", -0.1 * z**2)
            return z, 2 * z

        return lax.scan(step, 1.0, constant(DATA))

    def terms(c):
        z = c["z"]
        return {
            "z": normal(z, 0.5 * before(z, 1.0)),
            "y": normal(DATA, z, 0.5),
            "f": -0.1 * (z**2).sum(),
        }

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], 0.5 * before(c["z"], 1.0))}


@case
class scan_reverse:
    def body():
        def step(z, x):
            return vipl.sample("z", dist.Normal(z + x, 1.0)), z

        return lax.scan(step, 0.0, jnp.arange(4.0), reverse=True)

    def terms(c):
        backwards = np.flip(c["z"])
        return {"z": normal(backwards, before(backwards) + np.arange(4)[::-1])}

    def uniforms(c, rng):
        backwards = np.flip(c["z"], -1)
        return {"z": norm.cdf(backwards, before(backwards) + np.arange(4)[::-1])}


@case
class scan_of_trees:
    def body():
        def step(state, xs):
            z = vipl.sample("z", dist.Normal(state["z"] + xs[0], xs[1]["scale"]))
            w = vipl.sample("w", dist.Gamma(2.0, 1.0 + z**2))
            return {"z": z, "count": (state["count"][0] + 1, None)}, {"out": (z, w)}

        xs = (jnp.array([0.0, 1.0, -1.0]), {"scale": jnp.array([1.0, 2.0, 0.5])})
        return lax.scan(step, {"z": 0.0, "count": (0, None)}, xs)

    def terms(c):
        loc = before(c["z"]) + np.array([0.0, 1.0, -1.0])
        return {"z": normal(c["z"], loc, [1.0, 2.0, 0.5]), "w": gamma(c["w"], 2.0, 1 + c["z"] ** 2)}

    def uniforms(c, rng):
        loc = before(c["z"]) + np.array([0.0, 1.0, -1.0])
        w = gamma_cdf(c["w"], 2.0, 1 + c["z"] ** 2)
        return {"z": norm.cdf(c["z"], loc, [1.0, 2.0, 0.5]), "w": w}


@case
class scan_of_nothing:
    def body():
        def step(z, _):
            return vipl.sample("z", dist.StudentT(5.0, z, 1.0)), None

        return lax.scan(step, jnp.zeros(()), None, length=3)

    def terms(c):
        return {"z": stats.t.logpdf(c["z"], 5, before(c["z"])).sum()}

    def uniforms(c, rng):
        return {"z": stats.t.cdf(c["z"], 5, before(c["z"]))}


@case
class scan_of_length_zero:
    def body():
        def step(z, x):
            g = vipl.sample("g", dist.Gamma(2.0, 1.0))
            return vipl.sample("z", dist.Normal(z, g)), x

        z, _ = lax.scan(step, 0.5, jnp.zeros(0))
        vipl.sample("y", dist.Normal(z, 1.0), obs=0.0)

    def terms(c):
        return {"g": 0.0, "z": 0.0, "y": normal(0.5)}


@case
class scan_of_length_one:
    def body():
        return lax.scan(lambda z, x: (vipl.sample("z", dist.Normal(z, x)), z), 0.5, jnp.array([2.0]))

    def terms(c):
        return {"z": normal(c["z"], 0.5, 2)}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], 0.5, 2)}


@case
class scan_unrolled:
    def body():
        def step(z, x):
            z = vipl.sample("z", dist.Normal(z, jnp.array([1.0, 2.0])).to_event(1))
            return z, vipl.deterministic("sum", z.sum() + x)

        return lax.scan(step, jnp.zeros(2), jnp.arange(5.0), unroll=2)

    def terms(c):
        return {"z": normal(c["z"], before(c["z"], axis=-2), [1.0, 2.0])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], before(c["z"], axis=-2), [1.0, 2.0])}


@case
class scans_nested:
    def body():
        def row(z, x):
            start = vipl.sample("start", dist.Normal(z, 1.0))

            def column(w, y):
                return vipl.sample("w", dist.Normal(w + x * y, 0.5)), w

            end, _ = lax.scan(column, start, jnp.arange(3.0))
            return end, None

        return lax.scan(row, 0.0, jnp.array([1.0, -1.0]))

    def terms(c):
        start, w = c["start"], c["w"]
        loc = np.concatenate([start[:, None], w[:, :-1]], 1) + np.array([[1.0], [-1.0]]) * np.arange(3)
        return {"start": normal(start, before(w[:, -1])), "w": normal(w, loc, 0.5)}

    def uniforms(c, rng):
        start, w = c["start"], c["w"]
        loc = np.concatenate([start[..., None], w[..., :-1]], -1) + np.array([[1.0], [-1.0]]) * np.arange(3)
        return {"start": norm.cdf(start, before(w[..., -1])), "w": norm.cdf(w, loc, 0.5)}


@case
class fori_loop:
    def body():
        def round_(i, z):
            z = vipl.sample("z", dist.Normal(z + i, 1.0))
            vipl.sample("y", dist.Normal(z, 1.0), obs=0.25)
            return z

        return lax.fori_loop(2, 5, round_, 0.0)

    def terms(c):
        loc = before(c["z"]) + np.array([2.0, 3.0, 4.0])
        return {"z": normal(c["z"], loc), "y": normal(0.25, c["z"])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], before(c["z"]) + np.array([2.0, 3.0, 4.0]))}


@case
class lax_map:
    def body():
        def one(x):
            c = vipl.sample("c", dist.Bernoulli(x))
            return vipl.sample("z", dist.Normal(3.0 * c, 1.0))

        return lax.map(one, jnp.array([0.2, 0.5, 0.9]))

    def terms(c):
        p = np.array([0.2, 0.5, 0.9])
        return {"c": np.log(np.where(c["c"] > 0, p, 1 - p)).sum(), "z": normal(c["z"], 3 * c["c"])}

    def uniforms(c, rng):
        return {"c": coin(c["c"], [0.2, 0.5, 0.9], rng), "z": norm.cdf(c["z"], 3 * c["c"])}


@case
class python_loop:
    def body():
        total = jnp.zeros(())
        for i in range(6):
            total += vipl.sample(f"x_{i}", dist.Normal(total, 1.0 + i))
        return total

    def terms(c):
        total, terms = 0.0, {}
        for i in range(6):
            terms[f"x_{i}"] = normal(c[f"x_{i}"], total, 1.0 + i)
            total = total + c[f"x_{i}"]
        return terms

    def uniforms(c, rng):
        total, found = 0.0, {}
        for i in range(6):
            found[f"x_{i}"] = norm.cdf(c[f"x_{i}"], total, 1.0 + i)
            total = total + c[f"x_{i}"]
        return found


@case
class loops_without_sites:
    """A while_loop, an associative scan, a sort and a Cholesky factor between the sites."""

    def body():
        x = vipl.sample("x", dist.Normal(jnp.zeros(3), 1.0))
        path = lax.associative_scan(jnp.add, x)
        halvings = lax.while_loop(lambda n: 2**n < 7, lambda n: n + 1, 0)
        y = vipl.sample("y", dist.Normal(path[-1] / halvings, 1.0))
        covariance = jnp.eye(3) + jnp.outer(path, path)
        tril = jnp.linalg.cholesky(covariance)
        vipl.sample("v", dist.MultivariateNormal(jnp.sort(x), scale_tril=tril))
        return jax.nn.softplus(y)

    def terms(c):
        path = np.cumsum(c["x"])
        return {
            "x": normal(c["x"]),
            "y": normal(c["y"], path[-1] / 3),
            "v": mvn(c["v"], np.sort(c["x"]), np.eye(3) + np.outer(path, path)),
        }

    def uniforms(c, rng):
        return {"x": norm.cdf(c["x"]), "y": norm.cdf(c["y"], c["x"].sum(-1) / 3)}
