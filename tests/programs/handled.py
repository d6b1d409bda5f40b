"""Programs with parameters, observations and interventions from outside."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from programs.case import case
from programs.hand import before, normal
from scipy.stats import norm

import vipl
import vipl.distributions as dist


def chain():
    def step(z, _):
        z = vipl.sample("z", dist.Normal(z, 1.0))
        return z, vipl.sample("y", dist.Normal(z, 0.5))

    return lax.scan(step, 0.0, None, length=3)


def branches():
    p = vipl.sample("p", dist.Bernoulli(0.5))
    return lax.cond(p > 0, lambda: vipl.sample("z", dist.Normal(0.0, 1.0)), lambda: 1.0)


@case
class params_of_their_own:
    def body():
        loc = vipl.param("loc", jnp.array([1.0, 2.0]))
        scale = vipl.param("scale", 0.5, constraint=dist.constraints.positive)
        weights = vipl.param("weights", jnp.array([0.2, 0.8]), constraint=dist.constraints.simplex)
        vipl.sample("z", dist.Normal(loc, scale + weights))

    def terms(c):
        return {"z": normal(c["z"], [1.0, 2.0], [0.7, 1.3])}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], [1.0, 2.0], [0.7, 1.3])}


@case
class params_put_in:
    def body():
        loc = vipl.param("loc", lambda key: jax.random.normal(key, (2,)))
        scale = vipl.param("scale", 0.5, constraint=dist.constraints.positive)
        share = vipl.param("share", 0.5, constraint=dist.constraints.unit_interval)

        def lane(x):
            return vipl.sample("z", dist.Normal(x, vipl.param("width", 1.0)))

        vipl.vmap(lane)(loc)
        vipl.sample("w", dist.Normal(0.0, scale + share))

    def build(program):
        values = {"loc": jnp.array([3.0, 4.0]), "scale": 0.0, "share": jnp.log(3.0), "width": 1.5}
        return vipl.with_params(program, values)

    def terms(c):
        return {"z": normal(c["z"], [3.0, 4.0], 1.5), "w": normal(c["w"], 0, np.log(2) + 0.75)}

    def uniforms(c, rng):
        return {"z": norm.cdf(c["z"], [3.0, 4.0], 1.5), "w": norm.cdf(c["w"], 0, np.log(2) + 0.75)}


@case
class conditioned_scan:
    def body():
        return chain()

    def build(program):
        return program | {"y": jnp.array([0.1, 0.2, 0.3])}

    def terms(c):
        return {"z": normal(c["z"], before(c["z"])), "y": normal(np.array([0.1, 0.2, 0.3]), c["z"], 0.5)}


@case
class conditioned_carry:
    """Integers where the loop carries floats."""

    def body():
        return chain()

    def build(program):
        return program | {"z": np.array([1, 0, 2])}

    def terms(c):
        z = np.array([1.0, 0.0, 2.0])
        return {"z": normal(z, before(z)), "y": normal(c["y"], z, 0.5)}

    def uniforms(c, rng):
        return {"y": norm.cdf(c["y"], [1, 0, 2], 0.5)}


@case
class intervened_scan:
    def body():
        return chain()

    def build(program):
        return vipl.do(program, {"z": np.array([1, 0, 2])})

    def terms(c):
        return {"y": normal(c["y"], np.array([1, 0, 2]), 0.5)}

    def uniforms(c, rng):
        return {"y": norm.cdf(c["y"], [1, 0, 2], 0.5)}


@case
class conditioned_branch:
    def body():
        return branches()

    def build(program):
        return program | {"z": 1}

    def terms(c):
        return {"p": np.log(0.5), "z": normal(1.0) if c["p"] > 0 else 0.0}


@case
class intervened_branch:
    def body():
        z = branches()
        vipl.sample("y", dist.Normal(z, 1.0))

    def build(program):
        return vipl.do(program, {"z": 3})

    def terms(c):
        return {"p": np.log(0.5), "y": normal(c["y"], 3.0 if c["p"] > 0 else 1.0)}


@case
class conditioned_over:
    """A later observation replaces an earlier one, in the program too; plates and lanes at once."""

    def body():
        with vipl.plate("p", 2):
            x = vipl.sample("x", dist.Normal(0.0, 1.0))
            vipl.sample("y", dist.Normal(x, 1.0), obs=jnp.zeros(2))
        jax.vmap(lambda loc: vipl.sample("z", dist.Normal(loc, 1.0)))(jnp.concatenate([x, jnp.ones(1)]))
        vipl.vmap(lambda loc: vipl.sample("w", dist.Normal(loc, 1.0)))(x)

    def build(program):
        lanes = {"z": jnp.array([0.1, 0.2, 0.3]), "w": jnp.array([0.4, 0.5])}
        return program | {"y": jnp.array([9.0, 9.0])} | {"y": jnp.array([1.0, 2.0])} | lanes

    def terms(c):
        x = c["x"]
        return {
            "x": normal(x),
            "y": normal(np.array([1.0, 2.0]), x),
            "z": normal(np.array([0.1, 0.2, 0.3]), np.append(x, 1.0)),
            "w": normal(np.array([0.4, 0.5]), x),
        }
