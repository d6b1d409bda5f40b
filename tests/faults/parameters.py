"""Learnable parameters: where they start, what they may be, whose they are."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import vipl
import vipl.distributions as dist
from vipl import guides

from .registry import Raises, fault

KEY = jax.random.key(0)


@vipl.program
def model(y=0.5):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


@vipl.program
def sharp():
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 0.01), obs=0.0)


def fit(*programs, **options):
    return vipl.infer(*programs, **({"key": KEY, "num_steps": 20, "progress": False} | options))


@fault(
    26,
    "unconstrained scale goes negative",
    Raises(vipl.NonFiniteError, "'x'", "'scale'", "constraints.positive"),
)
def negative_scale():
    @vipl.program
    def guide():
        scale = vipl.param("scale", 1.0)
        vipl.sample("x", dist.Normal(vipl.param("loc", 0.0), scale))  # <- here

    fit(sharp(), guide(), num_steps=200, optimizer=optax.adam(0.3))


@fault(
    26,
    "unconstrained scale starts negative",
    Raises(vipl.SupportError, "'x'", "'scale'", "constraints.positive"),
)
def negative_scale_at_start():
    @vipl.program
    def guide(params):
        vipl.sample("x", dist.Normal(params["loc"], params["scale"]))  # <- here

    fit(model(), guide, params={"loc": 0.0, "scale": -0.1})


@fault(26, "unconstrained scale of a model", Raises(vipl.NonFiniteError, "'y'", "'scale'", "step 0"))
def negative_scale_in_model():
    @vipl.program
    def noisy(y):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        noise = vipl.param("noise", -1.0)
        with vipl.plate("data", 2):
            vipl.sample("y", dist.Normal(x, noise), obs=y)  # <- here

    fit(noisy(jnp.ones(2)))


@fault(
    29,
    "param starts outside of its constraint",
    Raises(vipl.ParameterError, "'scale'", "-1.0", "positive"),
)
def starts_outside():
    @vipl.program
    def guide():
        scale = vipl.param("scale", -1.0, constraint=dist.constraints.positive)  # <- here
        vipl.sample("x", dist.Normal(0.0, scale))

    vipl.init_params(KEY, guide())


@fault(29, "one entry of a param outside", Raises(vipl.ParameterError, "'scale'", "(1,)", "positive"))
def entry_starts_outside():
    @vipl.program
    def guide():
        scale = vipl.param("scale", jnp.array([1.0, 0.0]), constraint=dist.constraints.positive)  # <- here
        vipl.sample("x", dist.Normal(0.0, scale.sum()))

    fit(model(), guide())


@fault(29, "random start outside of the constraint", Raises(vipl.ParameterError, "'w'", "simplex"))
def random_start_outside():
    @vipl.program
    def guide():
        simplex = dist.constraints.simplex
        w = vipl.param("w", lambda key: jax.random.normal(key, (3,)), constraint=simplex)  # <- here
        vipl.sample("x", dist.Normal(w.sum(), 1.0))

    vipl.init_params(KEY, guide())


@fault(30, "integer parameter", Raises(vipl.ParameterError, "'loc'", "int32", "0.0"))
def integer():
    @vipl.program
    def guide():
        vipl.sample("x", dist.Normal(vipl.param("loc", 0), 1.0))  # <- here

    vipl.init_params(KEY, guide())


@fault(30, "integer array in params=", Raises(vipl.ParameterError, "'loc'", "int"))
def integer_array():
    @vipl.program
    def guide(params):
        vipl.sample("x", dist.Normal(params["loc"], 1.0))

    vipl.infer(model(), guide, key=KEY, params={"loc": np.array(3)}, progress=False)  # <- here


@fault("30a", "a string as a parameter", Raises(vipl.ParameterError, "'loc'"))
def string():
    @vipl.program
    def guide():
        vipl.sample("x", dist.Normal(vipl.param("loc", "zero"), 1.0))  # <- here

    vipl.init_params(KEY, guide())


@fault("30b", "constraint given as a string", Raises(vipl.ParameterError, "'scale'", "constraints.positive"))
def string_constraint():
    @vipl.program
    def guide():
        vipl.sample("x", dist.Normal(0.0, vipl.param("scale", 1.0, constraint="positive")))  # <- here

    vipl.init_params(KEY, guide())


@fault("30c", "param under vmap", Raises(vipl.ProgramError, "'loc'", "vmap"))
def param_in_vmap():
    @vipl.program
    def guide(x):
        def lane(x):
            return vipl.sample("x", dist.Normal(vipl.param("loc", x), 1.0))  # <- here

        jax.vmap(lane)(x)

    vipl.init_params(KEY, guide(jnp.ones(3)))


@fault(
    31,
    "one param name in model and guide",
    Raises(vipl.ParameterError, "'loc'", "shifted", "guide", "params=…"),
)
def shared_name():
    @vipl.program
    def shifted():
        x = vipl.sample("x", dist.Normal(vipl.param("loc", 1.0), 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)

    @vipl.program
    def guide():
        vipl.sample("x", dist.Normal(vipl.param("loc", 0.0), 1.0))  # <- here

    fit(shifted(), guide())


@fault("31a", "one param name as of a mean-field guide", Raises(vipl.ParameterError, "'x.loc'"))
def shared_with_family():
    @vipl.program
    def shifted():
        x = vipl.sample("x", dist.Normal(vipl.param("x.loc", 1.0), 1.0))  # <- here
        vipl.sample("y", dist.Normal(x, 1.0), obs=0.5)

    fit(shifted(), guides.MeanField())


@fault("31b", "one param name twice in a guide", Raises(vipl.AddressError, "'loc'", "twice"))
def twice():
    @vipl.program
    def guide():
        loc = vipl.param("loc", 0.0)  # <- here
        vipl.sample("x", dist.Normal(loc, vipl.param("loc", 1.0)))  # <- here

    vipl.init_params(KEY, guide())


@fault(32, "misspelt name in initial values", Raises(vipl.ParameterError, "'x.locc'", "Did you mean 'x.loc'"))
def initial_misspelt():
    vipl.infer(model(), key=KEY, params={"x.locc": jnp.array(1.0)}, progress=False)  # <- here


@fault(32, "misspelt address in predictive choices", Raises(vipl.AddressError, "'x'", "renamed"))
def predictive_misspelt():
    @vipl.program
    def renamed():
        xx = vipl.sample("xx", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(xx, 1.0))

    posterior = fit(model())
    posterior.predict(KEY, renamed(), num_samples=3)  # <- here


@fault(
    "32a",
    "misspelt address in posterior.log_density",
    Raises(vipl.AddressError, "'xx'", "Did you mean 'x'"),
)
def posterior_misspelt():
    fit(model()).log_density({"xx": 0.0})  # <- here


@fault("32b", "misspelt name of a param of a function", Raises(vipl.ParameterError, "'x.loc'", "guide"))
def function_with_param():
    @vipl.program
    def guide(params):
        loc = vipl.param("x.loc", 0.0)  # <- here
        vipl.sample("x", dist.Normal(loc, params["scale"]))

    fit(model(), guide, params={"scale": 1.0})


@fault(34, "params of another guide", Raises(vipl.ParameterError, "'loc'", "x.loc"))
def params_of_another_guide():
    @vipl.program
    def guide():
        vipl.sample("x", dist.Normal(vipl.param("loc", 0.0), 1.0))

    posterior = fit(model(), guide())
    vipl.infer(model(), guides.MeanField(), key=KEY, params=posterior.params, progress=False)  # <- here


@fault(34, "params of another size", Raises(vipl.ParameterError, "'theta.loc'", "(3,)", "(4,)"))
def params_of_another_size():
    @vipl.program
    def plated(y):
        with vipl.plate("n", y.shape[0]):
            theta = vipl.sample("theta", dist.Normal(0.0, 1.0))
            vipl.sample("y", dist.Normal(theta, 1.0), obs=y)

    posterior = fit(plated(jnp.ones(3)))
    vipl.infer(plated(jnp.ones(4)), key=KEY, params=posterior.params, progress=False)  # <- here
