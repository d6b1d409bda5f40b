"""Constructs inside of constructs."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs.case import case, constant
from programs.hand import before, bernoulli, coin, discrete, gamma, normal, where_ran
from programs.wrappers import with_jvp
from scipy import stats
from scipy.stats import norm

import vipl
import vipl.distributions as dist

LOCS = np.array([0.0, 1.0, -2.0])


def chain(start):
    return lax.scan(lambda z, x: (vipl.sample("z", dist.Normal(z + x, 1.0)), z), start, jnp.arange(2.0))


@case
class scan_in_jax_vmap:
    def body():
        return jax.vmap(chain)(constant(LOCS))

    def terms(c):
        assert c["z"].shape == (2, 3)  # steps, then lanes
        return {"z": normal(c["z"], before(c["z"], LOCS, axis=-2) + np.arange(2)[:, None])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], before(c["z"], LOCS, axis=-2) + np.arange(2)[:, None])}


@case
class scan_in_vmap:
    def body():
        return vipl.vmap(chain)(constant(LOCS))

    def terms(c):
        assert c["z"].shape == (3, 2)  # lanes, then steps
        return {"z": normal(c["z"].T, before(c["z"].T, LOCS, axis=-2) + np.arange(2)[:, None])}

    def uniforms(c, rng):
        z = np.swapaxes(c["z"], 1, 2)
        return {"z": norm.cdf(z, before(z, LOCS, axis=-2) + np.arange(2)[:, None])}


@case
class jax_vmap_in_scan:
    def body():
        def step(z, x):
            return jax.vmap(lambda a: vipl.sample("z", dist.Normal(a + x, 1.0)))(z), None

        return lax.scan(step, constant(LOCS), jnp.arange(2.0))

    def terms(c):
        return {"z": normal(c["z"], before(c["z"], LOCS, axis=-2) + np.arange(2)[:, None])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], before(c["z"], LOCS, axis=-2) + np.arange(2)[:, None])}


@case
class vmap_in_scan:
    def body():
        def step(z, _):
            draws = vipl.vmap(lambda: vipl.sample("z", dist.Normal(z, 1.0)), axis_size=3)()
            vipl.sample("y", dist.Normal(draws, 1.0), obs=jnp.array([0.1, 0.2, 0.3]))
            return draws.sum(), vipl.deterministic("total", draws.sum())

        return lax.scan(step, 0.0, None, length=2)

    def terms(c):
        loc = before(c["z"].sum(-1))
        return {"z": normal(c["z"], loc[:, None]), "y": normal(np.array([0.1, 0.2, 0.3]), c["z"])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], before(c["z"].sum(-1))[..., None])}


@case
class cond_in_scan:
    def body():
        def step(z, x):
            p = vipl.sample("p", dist.Bernoulli(0.4))
            z = lax.cond(p > 0, lambda: vipl.sample("a", dist.Normal(z, 1.0)), lambda: z + x)
            return z, z

        return lax.scan(step, 0.5, jnp.arange(3.0))

    def terms(c):
        z, a = 0.5, 0.0
        for t in range(3):
            if c["p"][t] > 0:
                a, z = a + normal(c["a"][t], z), c["a"][t]
            else:
                z = z + t
        return {"p": bernoulli(c["p"], 0.4), "a": a}

    def uniforms(c, rng):
        z, found = np.full(len(c["p"]), 0.5), []
        for t in range(3):
            ran = c["p"][:, t] > 0
            found.append(where_ran(ran, norm.cdf(c["a"][:, t], z), rng))
            z = np.where(ran, c["a"][:, t], z + t)
        return {"p": coin(c["p"], 0.4, rng), "a": np.stack(found, -1)}


@case
class scan_in_cond:
    def body():
        p = vipl.sample("p", dist.Bernoulli(0.5))
        return lax.cond(p > 0, lambda: chain(1.0)[0], lambda: vipl.sample("w", dist.Gamma(2.0, 1.0)))

    def terms(c):
        p, z = c["p"] > 0, c["z"]
        chained = normal(z, before(z, 1.0) + np.arange(2))
        return {"p": np.log(0.5), "z": chained if p else 0.0, "w": 0.0 if p else gamma(c["w"], 2.0)}

    def uniforms(c, rng):
        p = c["p"] > 0
        z = norm.cdf(c["z"], before(c["z"], 1.0) + np.arange(2))
        return {
            "p": coin(c["p"], 0.5, rng),
            "z": where_ran(p[:, None], z, rng),
            "w": where_ran(~p, stats.gamma.cdf(c["w"], 2.0), rng),
        }


@case
class wrappers_in_scan:
    def body():
        @jax.jit
        def jitted(z):
            return vipl.sample("a", dist.Normal(z, 1.0))

        @jax.checkpoint
        def rematerialised(z):
            return jnp.sin(vipl.sample("b", dist.Normal(z, 2.0)))

        def step(z, _):
            return with_jvp(rematerialised(jitted(z))), None

        return lax.scan(step, 0.0, None, length=2)

    def terms(c):
        b, z = c["b"], c["z"]
        found = {"a": normal(c["a"], before(2 * z)), "b": normal(b, c["a"], 2.0)}
        return found | {"z": normal(z, np.sin(b))}

    def uniforms(c, rng):
        return {
            "a": norm.cdf(c["a"], before(2 * c["z"])),
            "b": norm.cdf(c["b"], c["a"], 2.0),
            "z": norm.cdf(c["z"], np.sin(c["b"])),
        }


@case
class cond_in_vmap:
    def body():
        def lane(x):
            left = lambda: vipl.sample("a", dist.Normal(x, 1.0))  # noqa: E731
            right = lambda: vipl.sample("b", dist.Gamma(2.0, 1.0))  # noqa: E731
            return lax.cond(x > 0.5, left, right)

        return vipl.vmap(lane)(jnp.arange(4.0))

    def terms(c):
        return {"a": normal(c["a"][1:], np.arange(1, 4)), "b": gamma(c["b"][0], 2.0)}

    def uniforms(c, rng):
        ran = np.arange(4) > 0.5
        a, b = norm.cdf(c["a"], np.arange(4)), stats.gamma.cdf(c["b"], 2.0)
        return {"a": where_ran(ran, a, rng), "b": where_ran(~ran, b, rng)}


@case
class switch_in_jax_vmap:
    """One index for all lanes stays a switch under jax.vmap."""

    def body():
        k = vipl.sample("k", dist.Categorical(jnp.array([0.5, 0.5])))

        def lane(x):
            def second():
                return vipl.sample("a", dist.Normal(-x, 2.0)) + vipl.sample("b", dist.Normal(x, 3.0))

            return lax.switch(k, [lambda: vipl.sample("a", dist.Normal(x, 1.0)), second])

        return jax.vmap(lane)(constant(LOCS))

    def terms(c):
        second = c["k"] > 0
        a = normal(c["a"], -LOCS, 2.0) if second else normal(c["a"], LOCS)
        return {"k": np.log(0.5), "a": a, "b": normal(c["b"], LOCS, 3.0) if second else 0.0}

    def uniforms(c, rng):
        second = c["k"][:, None] > 0
        a = np.where(second, norm.cdf(c["a"], -LOCS, 2.0), norm.cdf(c["a"], LOCS))
        law = stats.randint(0, 2)
        b = where_ran(second, norm.cdf(c["b"], LOCS, 3.0), rng)
        return {"k": discrete(law, c["k"], rng), "a": a, "b": b}
