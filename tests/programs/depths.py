"""Constructs inside of constructs: plates, nested programs, and three deep."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs.case import case, constant
from programs.hand import before, gamma, gamma_cdf, normal
from programs.nested import pair
from programs.pairs import LOCS, chain
from scipy.stats import norm

import vipl
import vipl.distributions as dist


@case
class plate_in_scan:
    def body():
        def step(z, x):
            with vipl.plate("p", 3):
                z = vipl.sample("z", dist.Normal(z, 1.0))
                vipl.factor("f", -0.1)
            with vipl.plate("few", 8, subsample_size=2) as index:
                vipl.sample("y", dist.Normal(z.sum(), 1.0), obs=index * x)
            return z, None

        return lax.scan(step, jnp.zeros(3), jnp.array([0.5, 1.0]))

    def terms(c):
        y = c["few"] * np.array([[0.5], [1.0]])
        return {
            "z": normal(c["z"], before(c["z"], axis=-2)),
            "f": -0.6,
            "y": 4 * normal(y, c["z"].sum(-1)[:, None]),
        }

    def uniforms(c, rng):
        few = (c["few"][..., 0] + rng.uniform(size=c["few"].shape[:2])) / 8
        return {"z": norm.cdf(c["z"], before(c["z"], axis=-2)), "few": few}


@case
class scan_in_plate:
    def body():
        with vipl.plate("p", 3):
            start = vipl.sample("start", dist.Normal(0.0, 1.0))
            return chain(start)

    def terms(c):
        z = c["z"]
        loc = before(z, c["start"], axis=-2) + np.arange(2)[:, None]
        return {"start": normal(c["start"]), "z": normal(z, loc)}

    def uniforms(c, rng):
        first = np.concatenate([c["start"][:, None], c["z"][:, :-1]], 1)
        return {"start": norm.cdf(c["start"]), "z": norm.cdf(c["z"], first + np.arange(2)[:, None])}


@case
class nested_in_scan_in_vmap:
    def body():
        def lane(start):
            def step(z, y):
                return vipl.sample("s", pair(z) | {"y": y}), None

            return lax.scan(step, start, jnp.array([0.5, -0.5]))

        return vipl.vmap(lane)(constant(LOCS))

    def terms(c):
        x, y = c["s/x"], np.array([0.5, -0.5])
        start = np.concatenate([LOCS[:, None], (x + y)[:, :-1]], 1)
        return {"s/x": normal(x, start), "s/y": normal(y, x, 2.0)}

    def uniforms(c, rng):
        x, y = c["s/x"], np.array([0.5, -0.5])
        first = np.broadcast_to(LOCS[:, None], x[..., :1].shape)
        return {"s/x": norm.cdf(x, np.concatenate([first, (x + y)[..., :-1]], -1))}


@case
class plate_and_while_in_cond:
    def body():
        p = vipl.sample("p", dist.Bernoulli(0.5))

        def many():
            with vipl.plate("p2", 2):
                g = vipl.sample("g", dist.Gamma(2.0, 1.0))
            return lax.while_loop(lambda s: s > 1.0, lambda s: s / 2, g.sum())

        x = lax.cond(p > 0, many, jax.jit(lambda: vipl.sample("w", dist.Normal(0.0, 1.0))))
        vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)

    def terms(c):
        p, halved = c["p"] > 0, c["g"].sum()
        while halved > 1:
            halved /= 2
        return {
            "p": np.log(0.5),
            "g": gamma(c["g"], 2.0) if p else 0.0,
            "w": 0.0 if p else normal(c["w"]),
            "y": normal(0.5, halved if p else c["w"]),
        }

    smooth = False  # a halving that depends on the value; while_loop has no reverse mode


@case
class cond_in_scan_in_vmap:
    def body():
        def lane(x):
            def step(z, up):
                z = lax.cond(
                    up * x > 0,
                    lambda: vipl.sample("z", dist.Normal(z + x, 1.0)),
                    lambda: vipl.sample("z", dist.Normal(z, 2.0)),
                )
                vipl.sample("y", dist.Normal(z, 1.0), obs=x)
                return z, None

            return lax.scan(step, 0.0, jnp.array([1.0, -1.0, 1.0]))

        return vipl.vmap(lane)(jnp.array([1.0, -1.0]))

    def terms(c):
        x = np.array([[1.0], [-1.0]])
        up = x * np.array([1.0, -1.0, 1.0]) > 0
        loc = before(c["z"]) + np.where(up, x, 0.0)
        return {"z": normal(c["z"], loc, np.where(up, 1.0, 2.0)), "y": normal(x, c["z"])}

    def uniforms(c, rng):
        x = np.array([[1.0], [-1.0]])
        up = x * np.array([1.0, -1.0, 1.0]) > 0
        return {"z": norm.cdf(c["z"], before(c["z"]) + np.where(up, x, 0.0), np.where(up, 1.0, 2.0))}


@case
class subsample_in_vmap:
    def body():
        def lane(loc):
            with vipl.plate("few", 6, subsample_size=2) as index:
                z = vipl.sample("z", dist.Normal(loc + index, 1.0))
            return vipl.sample("g", dist.Gamma(2.0, 1.0)) + z.sum()

        return vipl.vmap(lane)(constant(LOCS))

    def terms(c):
        return {"z": 3 * normal(c["z"], LOCS[:, None] + c["few"]), "g": gamma(c["g"], 2.0)}

    def uniforms(c, rng):
        few = (c["few"][..., 0] + rng.uniform(size=c["few"].shape[:2])) / 6
        z = norm.cdf(c["z"], LOCS[:, None] + c["few"])
        return {"few": few, "z": z, "g": gamma_cdf(c["g"], 2.0)}
