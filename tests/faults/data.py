"""Data that are missing, not finite, of another precision, or no arrays at all."""

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist
from vipl import objectives

from .addresses import regression
from .registry import Equals, Raises, Warns, fault

KEY = jax.random.key(0)


@vipl.program
def line(x, y=None):
    slope = vipl.sample("slope", dist.Normal(0.0, 1.0))
    with vipl.plate("data", len(x)):
        vipl.sample("y", dist.Normal(slope * x, 1.0), obs=y)


def fit(model, **options):
    return vipl.infer(model, **({"key": KEY, "num_steps": 20, "progress": False} | options))


@fault(
    8,
    "data forgotten",
    Raises(vipl.AddressError, "regression", "no observed site", "'mu'", "obs=y", '| {"y": y}'),
)
def forgotten():
    vipl.infer(regression(), key=KEY, progress=False)  # <- here


@fault(8, "data forgotten in a function of params", Raises(vipl.AddressError, "line", "no observed site"))
def forgotten_by_function():
    @vipl.program
    def guide(params):
        vipl.sample("slope", dist.Normal(params["loc"], 1.0))

    x = jnp.ones(3)
    vipl.infer(lambda params: line(x), guide, key=KEY, params={"loc": 0.0}, progress=False)  # <- here


@fault(24, "NaN in data", Raises(vipl.SupportError, "'y'", "NaN", "(1,)"))
def nan_data():
    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 3):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=y)  # <- here

    fit(model(np.array([1.0, np.nan, np.nan])))


@fault(24, "NaN in conditioned data", Raises(vipl.SupportError, "'y'", "NaN", "(2,)"))
def nan_conditioned():
    line(jnp.ones(3)) | {"y": jnp.array([0.0, 1.0, jnp.nan])}  # <- here


@fault(24, "NaN in an intervention", Raises(vipl.SupportError, "'slope'", "NaN"))
def nan_intervention():
    vipl.do(line(jnp.ones(3), jnp.ones(3)), {"slope": np.nan})  # <- here


@fault("24a", "NaN in a covariate", Raises(vipl.NonFiniteError, "'y'", "nan", "step 0"))
def nan_covariate():
    @vipl.program
    def model(x, y):
        slope = vipl.sample("slope", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 3):
            vipl.sample("y", dist.Normal(slope * x, 1.0), obs=y)  # <- here

    fit(model(jnp.array([1.0, jnp.nan, 0.0]), jnp.ones(3)))


@fault("24b", "NaN in a batch of data under jit counts as NaN in the objective", Equals(True))
def nan_under_jit():
    density = jax.jit(lambda y: vipl.log_density(line(jnp.ones(2), y), {"slope": 0.0}))
    value = density(jnp.array([0.0, jnp.nan]))
    return bool(~jnp.isfinite(value))


@fault(
    45,
    "float64 data with x64 off",
    Warns(vipl.VIPLWarning, "float64", "float32", "jax_enable_x64", value=True),
)
def double_data():
    from vipl.infer.options import _warned

    _warned.clear()
    y = np.array([0.1, 0.2, 0.3])
    first = fit(line(np.ones(3), y))
    return bool(jnp.all(first.params["slope.loc"] == fit(line(np.ones(3), y)).params["slope.loc"]))


@fault("45a", "float64 data that lose nothing", Equals(20))
def double_data_exact():
    from vipl.infer.options import _warned

    _warned.clear()
    return len(fit(line(np.ones(3), np.array([1.0, 2.0, 0.5]))).objective_history)


@fault("45b", "integers as data of a real site work", Equals(-3 * 0.9189385 - 1.0 - 0.9189385))
def integer_data():
    return vipl.log_density(line(jnp.ones(3), np.array([1, 0, -1])), {"slope": 0.0})


@fault("45c", "booleans as data of a Bernoulli work", Equals(np.log(0.3) + np.log(0.7)))
def boolean_data():
    @vipl.program
    def model(y):
        with vipl.plate("data", 2):
            vipl.sample("y", dist.Bernoulli(0.3), obs=y)

    return vipl.log_density(model(np.array([True, False])), {})


@fault("45d", "probabilities as data of a Bernoulli", Raises(vipl.SupportError, "'y'", "0.5", "(0,)"))
def soft_labels():
    @vipl.program
    def model(y):
        with vipl.plate("data", 2):
            vipl.sample("y", dist.Bernoulli(0.3), obs=y)  # <- here

    vipl.log_density(model(np.array([0.5, 1.0])), {})


@fault("45e", "strings as data", Raises(vipl.ShapeError, "'y'", "numbers", "str"))
def string_data():
    @vipl.program
    def model(y):
        vipl.sample("y", dist.Normal(0.0, 1.0), obs=y)  # <- here

    vipl.simulate(model("1.5"), KEY)


@fault("45f", "an array of strings as data", Raises(vipl.ShapeError, "'y'", "numbers"))
def string_array():
    line(jnp.ones(2)) | {"y": np.array(["a", "b"])}  # <- here


@fault("45g", "an array of objects as data", Raises(vipl.ShapeError, "'y'", "numbers"))
def object_array():
    @vipl.program
    def model(y):
        with vipl.plate("data", 2):
            vipl.sample("y", dist.Normal(0.0, 1.0), obs=y)  # <- here

    fit(model(np.array([1.0, None], dtype=object)))


@fault("45h", "a list as data works", Equals(-4 * 0.9189385 - 0.5))
def list_data():
    return vipl.log_density(line(jnp.ones(3)) | {"y": [1.0, 0.0, 0.0]}, {"slope": 0.0})


class Column:
    """A column of a data frame as vipl sees it: it has a shape and a dtype, and NumPy can read it."""

    def __init__(self, values):
        self.values = np.asarray(values)

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)

    def __len__(self):
        return len(self.values)


@fault("45i", "a column of a data frame as data works", Equals((20, -3 * 0.9189385 - 2.5 - 0.9189385)))
def frame_column():
    column = Column([0.0, 1.0, 2.0])
    posterior = fit(line(jnp.ones(3), column))
    return len(posterior.objective_history), vipl.log_density(line(jnp.ones(3), column), {"slope": 0.0})


@fault("45j", "a program as data", Raises(vipl.ShapeError, "'y'", "numbers", "Program"))
def program_data():
    @vipl.program
    def model(y):
        vipl.sample("y", dist.Normal(0.0, 1.0), obs=y)  # <- here

    objectives.elbo(KEY, model(line(jnp.ones(2))), line(jnp.ones(2)))


@fault("45k", "complex numbers as data", Raises(vipl.SupportError, "'y'", "complex", "value.real"))
def complex_data():
    @vipl.program
    def model(y):
        vipl.sample("y", dist.Normal(0.0, 1.0), obs=y)  # <- here

    vipl.simulate(model(1 + 2j), KEY)
