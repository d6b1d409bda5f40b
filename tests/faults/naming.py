"""Values given by address: condition, do, log_density, with_params; and addresses that are no addresses."""

import jax
import jax.numpy as jnp

import vipl
import vipl.distributions as dist

from .addresses import Y, regression
from .registry import Raises, fault


@fault(7, "unknown address in condition", Raises(vipl.AddressError, "'yy'", "Did you mean 'y'"))
def condition_unknown():
    regression() | {"yy": Y}  # <- here


@fault(7, "unknown address in do", Raises(vipl.AddressError, "'sgima'", "Did you mean 'sigma'"))
def do_unknown():
    vipl.do(regression(Y), {"sgima": 1.0})  # <- here


@fault(7, "unknown address in with_params", Raises(vipl.ParameterError, "'locc'", "Did you mean 'loc'"))
def params_unknown():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), 1.0))

    vipl.with_params(guide(), {"locc": 1.0})  # <- here


@fault("7a", "unknown address in log_density", Raises(vipl.AddressError, "'muu'", "Did you mean 'mu'"))
def choices_unknown():
    vipl.log_density(regression(Y), {"mu": 0.0, "muu": 0.0, "sigma": 1.0})  # <- here


@fault("7b", "misspelt address in log_density", Raises(vipl.AddressError, "'muu'", "Did you mean 'mu'"))
def choices_misspelt():
    vipl.log_density(regression(Y), {"muu": 0.0, "sigma": 1.0})  # <- here


@fault("7c", "latent forgotten in log_density", Raises(vipl.AddressError, "'sigma'"))
def choices_missing():
    jax.jit(lambda mu: vipl.log_density(regression(Y), {"mu": mu}))(0.0)  # <- here


@fault("7d", "observed address among the choices", Raises(vipl.AddressError, "'y'", "observed"))
def choices_observed():
    vipl.log_density(regression(Y), {"mu": 0.0, "sigma": 1.0, "y": Y})  # <- here


@fault("7e", "inner address without its prefix", Raises(vipl.AddressError, "'x'", "Did you mean 'unit/x'"))
def condition_without_prefix():
    @vipl.program
    def unit():
        return vipl.sample("x", dist.Normal(0.0, 1.0))

    @vipl.program
    def model():
        return vipl.sample("unit", unit())

    model() | {"x": 0.0}  # <- here


@fault("7f", "condition on a deterministic", Raises(vipl.AddressError, "'double'", "deterministic"))
def condition_deterministic():
    @vipl.program
    def model():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.deterministic("double", 2 * x)

    model() | {"double": 0.0}  # <- here


@fault("7g", "misspelt address in a trace", Raises(vipl.AddressError, "'muu'", "Did you mean 'mu'"))
def trace_unknown():
    trace = vipl.simulate(regression(Y), jax.random.key(0))
    return trace["muu"]  # <- here


@fault("7h", "misspelt glob in with_estimators", Raises(vipl.AddressError, "'w*'"))
def estimators_unknown():
    @vipl.expectation
    def objective(loc):
        return vipl.sample("z", dist.Normal(loc, 1.0)) ** 2

    objective.with_estimators({"w*": vipl.estimators.Reparam()})(jax.random.key(0), 1.0)  # <- here


@fault(
    "7i",
    "program function in place of a program",
    Raises(vipl.ProgramError, "regression", "regression(…)"),
)
def unbound():
    vipl.simulate(regression, jax.random.key(0))  # <- here


@fault("7j", "condition on a program function", Raises(vipl.ProgramError, "regression", "regression(…)"))
def condition_unbound():
    vipl.condition(regression, {"y": Y})  # <- here


@fault("7k", "program function | choices", Raises(vipl.ProgramError, "regression", "regression(…)"))
def or_unbound():
    regression | {"y": Y}  # <- here


@fault("7l", "a program called again", Raises(vipl.ProgramError, "regression", "simulate"))
def called_again():
    regression(Y)(Y)  # <- here


@fault("7m", "address that is not a string", Raises(vipl.ProgramError, "3"))
def address_number():
    @vipl.program
    def model():
        vipl.sample(3, dist.Normal(0.0, 1.0))  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("7n", "address and distribution swapped", Raises(vipl.ProgramError, "address"))
def address_swapped():
    @vipl.program
    def model():
        vipl.sample(dist.Normal(0.0, 1.0), "x")  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("7o", "distribution class in place of an instance", Raises(vipl.ProgramError, "'x'", "Normal"))
def distribution_class():
    @vipl.program
    def model():
        vipl.sample("x", dist.Normal)  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("7p", "inner program not called", Raises(vipl.ProgramError, "'q'", "regression(…)"))
def nested_unbound():
    @vipl.program
    def model():
        vipl.sample("q", regression)  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("7q", "obs= of a nested program", Raises(vipl.ProgramError, "'q'", 'program | {"'))
def nested_obs():
    @vipl.program
    def model():
        vipl.sample("q", regression(), obs=Y)  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("7r", "a trace as the second program", Raises(vipl.AddressError, "Program"))
def choices_program():
    vipl.log_density(regression(Y), regression(Y))  # <- here


@fault("7s", "sample outside of a program", Raises(vipl.ProgramError, "'x'", "outside", "@vipl.program"))
def outside():
    vipl.sample("x", dist.Normal(jnp.zeros(3), 1.0))  # <- here


@fault("7t", "plate outside of a program", Raises(vipl.ProgramError, "'data'", "outside", "@vipl.program"))
def plate_outside():
    with vipl.plate("data", 3):  # <- here
        pass


@fault("7u", "negative plate", Raises(vipl.ShapeError, "'data'", "-3", "negative"))
def plate_negative():
    @vipl.program
    def model():
        with vipl.plate("data", -3):  # <- here
            vipl.sample("x", dist.Normal(0.0, 1.0))

    vipl.simulate(model(), jax.random.key(0))


@fault("7v", "plate of a float", Raises(vipl.ShapeError, "'data'", "2.5"))
def plate_float():
    @vipl.program
    def model():
        with vipl.plate("data", 2.5):  # <- here
            vipl.sample("x", dist.Normal(0.0, 1.0))

    vipl.simulate(model(), jax.random.key(0))


@fault("7w", "data in place of a plate's size", Raises(vipl.ShapeError, "'data'", "data.shape[0]"))
def plate_array():
    @vipl.program
    def model(y):
        with vipl.plate("data", y):  # <- here
            vipl.sample("y", dist.Normal(0.0, 1.0), obs=y)

    vipl.simulate(model(Y), jax.random.key(0))


@fault("7x", "plate in a plate of the same name", Raises(vipl.AddressError, "'data'", "same name"))
def plate_twice():
    @vipl.program
    def model():
        with vipl.plate("data", 3), vipl.plate("data", 3):  # <- here
            vipl.sample("x", dist.Normal(0.0, 1.0))

    vipl.simulate(model(), jax.random.key(0))


@fault("7y", "a program that is a generator", Raises(vipl.ProgramError, "model", "yield"))
def generator():
    @vipl.program  # <- here
    def model():
        yield vipl.sample("x", dist.Normal(0.0, 1.0))

    vipl.simulate(model(), jax.random.key(0))


@fault("7z", "choices that are not numbers", Raises(vipl.ShapeError, "'mu'", "numbers", "str"))
def choices_string():
    vipl.log_density(regression(Y), {"mu": "zero", "sigma": 1.0})  # <- here
