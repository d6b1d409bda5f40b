"""Programs with lanes: jax.vmap and vipl.vmap."""

import jax
import jax.numpy as jnp
import numpy as np
from programs.case import case, constant
from programs.hand import dirichlet, dirichlet_uniforms, gamma, gamma_cdf, normal
from scipy.stats import norm

import vipl
import vipl.distributions as dist

LOCS = np.array([0.0, 1.0, -2.0])
GRID = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.25]])


@case
class jax_vmap:
    def body():
        def lane(x):
            z = vipl.sample("z", dist.Normal(x, 1.0))
            g = vipl.sample("g", dist.Gamma(2.0, 1.0 + x**2))
            vipl.sample("y", dist.Normal(z, 0.5), obs=0.25)
            vipl.factor("f", -0.1 * z)
            vipl.factor("one", jnp.ones(2))
            return z + g

        return jax.vmap(lane)(constant(LOCS))

    def terms(c):
        return {
            "z": normal(c["z"], LOCS),
            "g": gamma(c["g"], 2.0, 1 + LOCS**2),
            "y": normal(0.25, c["z"], 0.5),
            "f": -0.1 * c["z"].sum(),
            "one": 6.0,
        }

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], LOCS), "g": gamma_cdf(c["g"], 2.0, 1 + LOCS**2)}


@case
class jax_vmap_nested:
    def body():
        scale = vipl.sample("scale", dist.Gamma(2.0, 2.0))

        def outer(row, x):
            def inner(y):
                return vipl.sample("z", dist.Normal(x + y, scale))

            return jax.vmap(inner)(row)

        return jax.vmap(outer)(constant(GRID), constant(LOCS))

    def terms(c):
        loc = GRID + LOCS[:, None]
        return {"scale": gamma(c["scale"], 2, 2), "z": normal(c["z"], loc, c["scale"])}

    def uniforms(c, rng):
        loc = GRID + LOCS[:, None]
        z = norm.cdf(c["z"], loc, c["scale"][:, None, None])
        return {"scale": gamma_cdf(c["scale"], 2, 2), "z": z}


@case
class jax_vmap_with_axes:
    """Lanes at the second axis, an unbatched scale, a batch of its own and an observation per lane."""

    def body():
        s = vipl.sample("s", dist.LogNormal(0.0, 0.25))

        def lane(column, y):
            z = vipl.sample("z", dist.Normal(column, s))
            vipl.sample("y", dist.Normal(z.sum(), 1.0), obs=y)
            return z

        return jax.vmap(lane, in_axes=(1, 0), out_axes=1)(constant(GRID), jnp.array([0.5, 1.5]))

    def terms(c):
        assert c["z"].shape == (2, 3)  # lanes come first
        return {
            "s": normal(np.log(c["s"]), 0, 0.25) - np.log(c["s"]),
            "z": normal(c["z"], GRID.T, c["s"]),
            "y": normal(np.array([0.5, 1.5]), c["z"].sum(-1)),
        }

    def uniforms(c, rng):
        z = norm.cdf(c["z"], GRID.T, c["s"][:, None, None])
        return {"s": norm.cdf(np.log(c["s"]), 0, 0.25), "z": z}


@case
class vmap_batched:
    def body():
        def lane(x):
            z = vipl.sample("z", dist.Normal(x, 1.0))
            vipl.sample("y", dist.Normal(z, 0.5), obs=0.25)
            vipl.factor("f", 0.5 * z)
            return vipl.sample("g", dist.Dirichlet(jnp.array([1.0, 2.0, 3.0])))

        return vipl.vmap(lane)(constant(LOCS))

    def terms(c):
        return {
            "z": normal(c["z"], LOCS),
            "y": normal(0.25, c["z"], 0.5),
            "f": 0.5 * c["z"].sum(),
            "g": dirichlet(c["g"], [1.0, 2.0, 3.0]),
        }

    smooth = False

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], LOCS), "g": dirichlet_uniforms(c["g"], [1.0, 2.0, 3.0])}


@case
class vmap_unbatched:
    def body():
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))

        def lane():
            return vipl.sample("z", dist.Normal(mu, 1.0)) + vipl.sample("g", dist.Gamma(3.0, 1.0))

        return vipl.vmap(lane, axis_size=3)()

    def terms(c):
        return {"mu": normal(c["mu"]), "z": normal(c["z"], c["mu"]), "g": gamma(c["g"], 3.0)}

    def uniforms(c, rng):
        z = norm.cdf(c["z"], c["mu"][:, None])
        return {"mu": norm.cdf(c["mu"]), "z": z, "g": gamma_cdf(c["g"], 3.0)}


@case
class vmap_with_axes:
    """A dict mapped leaf by leaf, a column axis, a static argument, and an argument of every lane."""

    def body():
        def lane(params, column, name, offset):
            return vipl.sample(name, dist.Normal(params["loc"] + column.sum() + offset, params["scale"]))

        params = {"loc": jnp.array([1.0, 2.0]), "scale": 2.0}
        axes = ({"loc": 0, "scale": None}, 1, None, None)
        return vipl.vmap(lane, in_axes=axes)(params, constant(GRID), "z", 0.5)

    def terms(c):
        return {"z": normal(c["z"], np.array([1.0, 2.0]) + GRID.sum(0) + 0.5, 2.0)}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], np.array([1.0, 2.0]) + GRID.sum(0) + 0.5, 2.0)}


@case
class vmap_nested:
    def body():
        def outer(row):
            a = vipl.sample("a", dist.Normal(row.sum(), 1.0))

            def inner(y):
                return vipl.sample("z", dist.Normal(a, jnp.array([1.0, 2.0]))) + y

            return vipl.vmap(inner)(row)

        return vipl.vmap(outer)(constant(GRID))

    def terms(c):
        assert c["z"].shape == (3, 2, 2)
        return {"a": normal(c["a"], GRID.sum(1)), "z": normal(c["z"], c["a"][:, None, None], [1.0, 2.0])}

    def uniforms(c, rng):
        z = norm.cdf(c["z"], c["a"][..., None, None], [1.0, 2.0])
        return {"a": norm.cdf(c["a"], GRID.sum(1)), "z": z}


@case
class vmap_in_jax_vmap:
    def body():
        def outer(x):
            return vipl.vmap(lambda: vipl.sample("z", dist.Normal(x, 1.0)), axis_size=2)()

        return jax.vmap(outer)(constant(LOCS))

    def terms(c):
        assert c["z"].shape == (2, 3)  # the axis of vipl.vmap, then the lanes
        return {"z": normal(c["z"], LOCS)}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], LOCS)}


@case
class jax_vmap_in_vmap:
    def body():
        def outer(scale):
            return jax.vmap(lambda x: vipl.sample("z", dist.Normal(x, scale)))(constant(LOCS))

        return vipl.vmap(outer)(jnp.array([1.0, 2.0]))

    def terms(c):
        assert c["z"].shape == (2, 3)
        return {"z": normal(c["z"], LOCS, np.array([[1.0], [2.0]]))}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], LOCS, np.array([[1.0], [2.0]]))}


@case
class vmap_of_no_lanes:
    def body():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        return vipl.vmap(lambda: vipl.sample("z", dist.Gamma(2.0, 1.0)) + x, axis_size=0)()

    def terms(c):
        assert c["z"].shape == (0,)
        return {"x": normal(c["x"]), "z": 0.0}
