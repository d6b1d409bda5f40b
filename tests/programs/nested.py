"""Programs in programs, and programs with parameters, observations and interventions."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs.case import case
from programs.hand import before, bernoulli, normal
from scipy.stats import norm

import vipl
import vipl.distributions as dist


@vipl.program
def pair(loc, scale=1.0):
    """Two sites in a row."""
    x = vipl.sample("x", dist.Normal(loc, scale))
    y = vipl.sample("y", dist.Normal(x, 2.0))
    return x + y


@vipl.program
def learned():
    """A site with learnable location and scale."""
    loc = vipl.param("loc", jnp.array([1.0, 2.0]))
    scale = vipl.param("scale", 2.0, constraint=dist.constraints.positive)
    return vipl.sample("z", dist.Normal(loc, scale))


def pair_terms(c, prefix, loc, scale=1.0):
    x, y = c[f"{prefix}x"], c[f"{prefix}y"]
    return {f"{prefix}x": normal(x, loc, scale), f"{prefix}y": normal(y, x, 2.0)}


@case
class nested:
    def body():
        a = vipl.sample("a", pair(0.5))
        with vipl.scope("s"):
            return vipl.sample("b", pair(a, scale=2.0))

    def terms(c):
        a = c["a/x"] + c["a/y"]
        return pair_terms(c, "a/", 0.5) | pair_terms(c, "s/b/", a, 2.0)

    def uniforms(c, rng):
        a, x = c["a/x"] + c["a/y"], c["s/b/x"]
        return {
            "a/x": norm.cdf(c["a/x"], 0.5),
            "a/y": norm.cdf(c["a/y"], c["a/x"], 2.0),
            "s/b/x": norm.cdf(x, a, 2.0),
            "s/b/y": norm.cdf(c["s/b/y"], x, 2.0),
        }


@case
class nested_conditioned:
    def body():
        seen = vipl.sample("seen", pair(1.0) | {"y": 0.5})
        set_ = vipl.sample("set", vipl.do(pair(seen), {"x": -1.0}))
        return vipl.sample("both", vipl.do(pair(set_) | {"y": 0.25}, {"x": 2.0}))

    def terms(c):
        x, y = c["seen/x"], c["set/y"]
        return {
            "seen/x": normal(x, 1.0),
            "seen/y": normal(0.5, x, 2.0),
            "set/y": normal(y, -1.0, 2.0),
            "both/y": normal(0.25, 2.0, 2.0),
        }

    def uniforms(c, rng):
        return {"seen/x": norm.cdf(c["seen/x"], 1.0), "set/y": norm.cdf(c["set/y"], -1.0, 2.0)}


@case
class nested_twice:
    def body():
        @vipl.program
        def middle(loc):
            return vipl.sample("in", pair(loc) | {"y": 0.5}) + vipl.sample("own", dist.Normal(loc, 1.0))

        a = vipl.sample("a", middle(0.0))
        return a + vipl.sample("b", middle(1.0) | {"own": 3.0}) + vipl.sample("c", middle(1.0) | {"in/x": 0.1})

    def terms(c):
        found = {"a/own": normal(c["a/own"]), "b/own": normal(3.0, 1.0), "c/own": normal(c["c/own"], 1.0)}
        for name, x, loc in (("a", c["a/in/x"], 0.0), ("b", c["b/in/x"], 1.0), ("c", 0.1, 1.0)):
            found |= {f"{name}/in/x": normal(x, loc), f"{name}/in/y": normal(0.5, x, 2.0)}
        return found


@case
class nested_params:
    def body():
        values = {"loc": jnp.array([0.5, -0.5]), "scale": jnp.log(jnp.expm1(3.0))}  # softplus of it is 3
        return vipl.sample("put", vipl.with_params(learned(), values)) + vipl.sample("init", learned())

    def terms(c):
        return {"put/z": normal(c["put/z"], [0.5, -0.5], 3.0), "init/z": normal(c["init/z"], [1.0, 2.0], 2.0)}

    def uniforms(c, rng):
        return {
            "put/z": norm.cdf(c["put/z"], [0.5, -0.5], 3.0),
            "init/z": norm.cdf(c["init/z"], [1.0, 2.0], 2.0),
        }


@case
class nested_in_scan:
    def body():
        def step(z, y):
            return vipl.sample("s", pair(z) | {"y": y}), z

        return lax.scan(step, 0.0, jnp.array([0.5, 1.5, -0.5]))

    def terms(c):
        y = np.array([0.5, 1.5, -0.5])
        x = c["s/x"]
        return {"s/x": normal(x, before(x + y)), "s/y": normal(y, x, 2.0)}

    def uniforms(c, rng):
        return {"s/x": norm.cdf(c["s/x"], before(c["s/x"] + np.array([0.5, 1.5, -0.5])))}


@case
class nested_scan_conditioned:
    def body():
        @vipl.program
        def chain():
            def step(z, _):
                z = vipl.sample("z", dist.Normal(z, 1.0))
                return z, vipl.sample("y", dist.Normal(z, 0.5))

            return lax.scan(step, 0.0, None, length=3)

        vipl.sample("c", chain() | {"y": jnp.array([0.1, 0.2, 0.3])})
        return vipl.sample("d", vipl.do(chain(), {"z": np.array([1, 2, 3])}))

    def terms(c):
        z = c["c/z"]
        return {
            "c/z": normal(z, before(z)),
            "c/y": normal(np.array([0.1, 0.2, 0.3]), z, 0.5),
            "d/y": normal(c["d/y"], np.array([1, 2, 3]), 0.5),
        }

    def uniforms(c, rng):
        return {"c/z": norm.cdf(c["c/z"], before(c["c/z"])), "d/y": norm.cdf(c["d/y"], [1, 2, 3], 0.5)}


@case
class nested_in_plate:
    """What is observed or set in the nested program has the value in every element of the plate."""

    def body():
        with vipl.plate("p", 3):
            a = vipl.sample("a", pair(0.5) | {"y": 0.25})
            b = vipl.sample("b", vipl.do(pair(0.0), {"x": -1.0}))
            d = vipl.sample("d", pair(a) | {"x": jnp.arange(3.0)})
            with vipl.plate("q", 2):
                e = vipl.sample("e", pair(a) | {"x": jnp.arange(3.0)})
        return a[0] + b[2] + d[1] + e[1, 2]

    def terms(c):
        return {
            "a/x": normal(c["a/x"], 0.5),
            "a/y": normal(0.25, c["a/x"], 2.0),
            "b/y": normal(c["b/y"], -1.0, 2.0),
            "d/x": normal(np.arange(3), c["a/x"] + 0.25),
            "d/y": normal(c["d/y"], np.arange(3), 2.0),
            "e/x": 2 * normal(np.arange(3), c["a/x"] + 0.25),
            "e/y": normal(c["e/y"], np.arange(3), 2.0),
        }

    def uniforms(c, rng):
        return {
            "a/x": norm.cdf(c["a/x"], 0.5),
            "b/y": norm.cdf(c["b/y"], -1.0, 2.0),
            "d/y": norm.cdf(c["d/y"], np.arange(3), 2.0),
            "e/y": norm.cdf(c["e/y"], np.arange(3), 2.0),
        }


@case
class nested_in_jax_vmap:
    def body():
        def lane(loc, y):
            return vipl.sample("a", pair(loc) | {"y": y}) + vipl.sample("b", vipl.do(pair(loc), {"x": y}))

        return jax.vmap(lane)(jnp.arange(3.0), jnp.array([0.5, 1.5, -0.5]))

    def terms(c):
        y = np.array([0.5, 1.5, -0.5])
        return {
            "a/x": normal(c["a/x"], np.arange(3)),
            "a/y": normal(y, c["a/x"], 2.0),
            "b/y": normal(c["b/y"], y, 2.0),
        }

    def uniforms(c, rng):
        b = norm.cdf(c["b/y"], [0.5, 1.5, -0.5], 2.0)
        return {"a/x": norm.cdf(c["a/x"], np.arange(3)), "b/y": b}


@case
class nested_with_jax_vmap:
    def body():
        @vipl.program
        def lanes(loc):
            def lane(x):
                z = vipl.sample("z", dist.Normal(loc + x, 1.0))
                return vipl.sample("w", dist.Normal(z, 1.0))

            return jax.vmap(lane)(jnp.arange(3.0))

        loc = vipl.sample("loc", dist.Normal(0.0, 1.0))
        return vipl.sample("in", lanes(loc) | {"z": jnp.array([0.5, 1.5, -0.5])})

    def terms(c):
        z = np.array([0.5, 1.5, -0.5])
        return {
            "loc": normal(c["loc"]),
            "in/z": normal(z, c["loc"] + np.arange(3)),
            "in/w": normal(c["in/w"], z),
        }


@case
class nested_in_vmap:
    def body():
        def lane(y):
            return vipl.sample("a", pair(0.0) | {"y": y}) + vipl.sample("b", pair(y))

        return vipl.vmap(lane)(jnp.array([0.5, 1.5]))

    def terms(c):
        y = np.array([0.5, 1.5])
        return {"a/x": normal(c["a/x"]), "a/y": normal(y, c["a/x"], 2.0)} | pair_terms(c, "b/", y)

    def uniforms(c, rng):
        b = norm.cdf(c["b/y"], c["b/x"], 2.0)
        return {"a/x": norm.cdf(c["a/x"]), "b/x": norm.cdf(c["b/x"], [0.5, 1.5]), "b/y": b}


@case
class nested_in_cond:
    def body():
        p = vipl.sample("p", dist.Bernoulli(0.5))
        return lax.cond(
            p > 0,
            lambda: vipl.sample("a", pair(0.0) | {"x": 0.5}),
            lambda: vipl.sample("b", vipl.do(pair(0.0), {"y": 0.5})),
        )

    def terms(c):
        p = c["p"] > 0
        return {
            "p": bernoulli(c["p"], 0.5),
            "a/x": normal(0.5) if p else 0.0,
            "a/y": normal(c["a/y"], 0.5, 2.0) if p else 0.0,
            "b/x": 0.0 if p else normal(c["b/x"]),
        }
