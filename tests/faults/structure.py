"""Python's own control flow on what is not known yet, and programs whose sites vary from look to look."""

import itertools

import jax
import numpy as np
import numpyro

import vipl
import vipl.distributions as dist

from .registry import Raises, fault


@fault(37, "Python if on a sampled value", Raises(vipl.ProgramError, "'z'", "if z > 0:", "jax.lax.cond"))
def python_if():
    @vipl.program
    def program():
        z = vipl.sample("z", dist.Normal(0.0, 1.0))
        if z > 0:  # <- here
            vipl.sample("x", dist.Normal(z, 1.0))

    vipl.simulate(program(), jax.random.key(0))


@fault(
    37,
    "range of a sampled count, in a nested program",
    Raises(vipl.ProgramError, "n", "range(n)", "jax.lax"),
)
def python_range():
    @vipl.program
    def unit():
        n = vipl.sample("n", dist.Poisson(3.0))
        return sum(vipl.sample(f"x{i}", dist.Normal(0.0, 1.0)) for i in range(n))  # <- here

    @vipl.program
    def program():
        vipl.sample("unit", unit())

    vipl.log_density(program(), {"unit/n": 3})


@fault(37, "float() of a sampled value in an expectation", Raises(vipl.ProgramError, "'z'", "float(z)"))
def python_float():
    @vipl.expectation
    def objective(loc):
        z = vipl.sample("z", dist.Normal(loc, 1.0))
        return np.exp(float(z))  # <- here

    jax.grad(objective, argnums=1)(jax.random.key(0), 0.0)


@fault("37a", "NumPy function on a sampled value", Raises(vipl.ProgramError, "'z'", "np.log1p(z)"))
def numpy_function():
    @vipl.program
    def program():
        z = vipl.sample("z", dist.Exponential(1.0))
        return np.log1p(z)  # <- here

    vipl.simulate(program(), jax.random.key(0))


@fault("37b", "sampled plate size", Raises(vipl.ShapeError, "'data'", "not known", "data.shape[0]"))
def sampled_plate_size():
    @vipl.program
    def program():
        n = vipl.sample("n", dist.Poisson(3.0))
        with vipl.plate("data", n):  # <- here
            vipl.sample("x", dist.Normal(0.0, 1.0))

    vipl.simulate(program(), jax.random.key(0))


_count = itertools.count()


@fault(38, "structure that varies with a global", Raises(vipl.ProgramError, "varying", "'extra'"))
def varying_structure():
    @vipl.program
    def varying(y):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        if next(_count) % 2:
            vipl.sample("extra", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=y)

    vipl.infer(varying(1.0), key=jax.random.key(0), num_steps=5, progress=False)  # <- here


@fault(38, "guide whose sites vary", Raises(vipl.ProgramError, "varying_guide", "'extra'"))
def guide_that_varies():
    @vipl.program
    def model():
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=1.0)

    looks = itertools.count()

    @vipl.program
    def varying_guide(scale):
        vipl.sample("x", dist.Normal(vipl.param("loc", 0.0), scale))
        if next(looks) > 0:
            vipl.sample("extra", dist.Normal(0.0, 1.0))

    vipl.infer(model(), varying_guide(1.0), key=jax.random.key(0), num_steps=5, progress=False)  # <- here


@fault("38a", "infer under jit", Raises(vipl.ProgramError, "infer", "jax.jit", "outside"))
def infer_under_jit():
    @vipl.program
    def model(y):
        x = vipl.sample("x", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=y)

    jax.jit(lambda y: vipl.infer(model(y), key=jax.random.key(0), progress=False).params)(1.0)  # <- here


@fault("38b", "numpyro.sample inside of a program", Raises(vipl.ProgramError, "'x'", "vipl.sample('x'"))
def numpyro_sample():
    @vipl.program
    def model():
        return numpyro.sample("x", dist.Normal(0.0, 1.0))  # <- here

    vipl.simulate(model(), jax.random.key(0))


@fault("38c", "numpyro.param inside of a guide", Raises(vipl.ProgramError, "'loc'", "vipl.param('loc'"))
def numpyro_param():
    @vipl.program
    def guide():
        return vipl.sample("x", dist.Normal(numpyro.param("loc", 0.0), 1.0))  # <- here

    vipl.init_params(jax.random.key(0), guide())


@fault("38d", "numpyro.plate inside of a program", Raises(vipl.ProgramError, "'n'", "vipl.plate('n'"))
def numpyro_plate():
    @vipl.program
    def model():
        with numpyro.plate("n", 3):  # <- here
            vipl.sample("x", dist.Normal(0.0, 1.0))

    vipl.simulate(model(), jax.random.key(0))
