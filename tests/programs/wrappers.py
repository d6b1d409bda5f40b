"""Programs with functions that only wrap: jit, checkpoint, custom derivatives, scope."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from programs.case import case
from programs.hand import gamma, gamma_cdf, normal
from scipy.stats import norm

import vipl
import vipl.distributions as dist


@jax.jit
def block(x):
    """Draw, in whatever scope and plates the caller has: one trace cache for all of them."""
    return vipl.sample("z", dist.Normal(x, 1.0))


@case
class jit:
    def body():
        @jax.jit
        def double(x, y):
            z = vipl.sample("z", dist.Normal(x, 2.0))
            vipl.sample("y", dist.Normal(z, 1.0), obs=y)
            return {"z": z, "twice": 2 * z}

        return double(1.0, jnp.array(0.5))

    def terms(c):
        return {"z": normal(c["z"], 1, 2), "y": normal(0.5, c["z"])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], 1, 2)}


@case
class jit_nested:
    def body():
        @functools.partial(jax.jit, static_argnums=1)
        def inner(x, n):
            return vipl.sample("inner", dist.Normal(jnp.zeros(n), x))

        @jax.jit
        def outer(x):
            g = vipl.sample("g", dist.Gamma(2.0, x))
            return inner(g, 2) + vipl.sample("last", dist.Normal(g, 1.0))

        return outer(1.5)

    def terms(c):
        g = c["g"]
        return {"g": gamma(g, 2, 1.5), "inner": normal(c["inner"], 0, g), "last": normal(c["last"], g)}

    def uniforms(c, rng):
        g = c["g"]
        inner = norm.cdf(c["inner"], 0, g[:, None])
        return {"g": gamma_cdf(g, 2, 1.5), "inner": inner, "last": norm.cdf(c["last"], g)}


@case
class jit_in_scopes:
    def body():
        with vipl.scope("a"):
            x = block(0.0)
        with vipl.scope("b"), vipl.scope("c"):
            y = block(x)
        with vipl.scope("d"), vipl.plate("p", 2):
            return block(y)

    def terms(c):
        x, y, z = c["a/z"], c["b/c/z"], c["d/z"]
        return {"a/z": normal(x), "b/c/z": normal(y, x), "d/z": normal(z, y)}

    def uniforms(c, rng):
        x, y = c["a/z"], c["b/c/z"]
        return {"a/z": norm.cdf(x), "b/c/z": norm.cdf(y, x), "d/z": norm.cdf(c["d/z"], y[:, None])}


@case
class checkpoint:
    def body():
        @jax.checkpoint
        def plain(x):
            z = vipl.sample("z", dist.Normal(x, 1.0))
            return jnp.sin(z) * vipl.sample("w", dist.Normal(z, 2.0))

        @functools.partial(jax.checkpoint, policy=jax.checkpoint_policies.dots_saveable)
        def saving(x):
            vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)
            return x**2

        return saving(plain(0.5))

    def terms(c):
        z, w = c["z"], c["w"]
        return {"z": normal(z, 0.5), "w": normal(w, z, 2.0), "y": normal(0.5, np.sin(z) * w)}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], 0.5), "w": norm.cdf(c["w"], c["z"], 2.0)}


@jax.custom_jvp
def with_jvp(x):
    """Draw inside a function with a forward rule."""
    return vipl.sample("z", dist.Normal(x, 1.0)) * 2.0


with_jvp.defjvp(lambda primals, tangents: (with_jvp(*primals), tangents[0]))


@jax.custom_vjp
def with_vjp(x):
    """Draw inside a function with a backward rule."""
    return vipl.sample("w", dist.Normal(x, 1.0))


with_vjp.defvjp(lambda x: (with_vjp(x), None), lambda _, g: (g,))


@case
class custom_jvp:
    def body():
        return jax.nn.relu(with_jvp(0.5))  # relu has a rule of its own, and no site

    def terms(c):
        return {"z": normal(c["z"], 0.5)}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], 0.5)}


@case
class custom_vjp:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        return with_vjp(x)

    def terms(c):
        return {"x": normal(c["x"]), "w": normal(c["w"], c["x"])}

    def uniforms(c, rng):
        return {"x": norm.cdf(c["x"]), "w": norm.cdf(c["w"], c["x"])}


@case
class custom_rules_under_vmap:
    def body():
        return jax.vmap(with_jvp)(jnp.arange(3.0)), jax.vmap(with_vjp)(jnp.arange(2.0))

    def terms(c):
        return {"z": normal(c["z"], np.arange(3)), "w": normal(c["w"], np.arange(2))}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], np.arange(3)), "w": norm.cdf(c["w"], np.arange(2))}


@case
class recorded:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        square = vipl.deterministic("square", x**2)
        with vipl.scope("s"):
            vipl.deterministic("counts", jnp.arange(3) * 2)
            with vipl.scope("t"):
                vipl.factor("f", -square)
                y = vipl.sample("y", dist.Normal(square, 1.0))
        return {"x": x, "n": 3, "y": (y, None)}

    def terms(c):
        return {"x": normal(c["x"]), "s/t/f": -(c["x"] ** 2), "s/t/y": normal(c["s/t/y"], c["x"] ** 2)}

    def uniforms(c, rng):
        return {"x": norm.cdf(c["x"]), "s/t/y": norm.cdf(c["s/t/y"], c["x"] ** 2)}
