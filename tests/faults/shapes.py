"""Shapes that do not fit: a value and its site, a plate and its data, a guide and its model."""

import jax
import jax.numpy as jnp

import vipl
import vipl.distributions as dist
from vipl import objectives

from .registry import Equals, Raises, fault

X = jnp.linspace(-1.0, 1.0, 20)


@vipl.program
def vector_model(y):
    with vipl.plate("dim", 3):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


def run(program):
    return vipl.simulate(program, jax.random.key(0)).log_density


@fault(
    9,
    "guide vector, model scalars in a plate of another size",
    Raises(vipl.ShapeError, "'mu'", "(4,)", "(3,)"),
)
def guide_too_long():
    @vipl.program
    def guide():
        vipl.sample("mu", dist.Normal(jnp.zeros(4), 1.0).to_event(1))  # <- here

    objectives.elbo(jax.random.key(0), vector_model(jnp.zeros(3)), guide())


@fault(9, "guide scalar for a vector of the model", Raises(vipl.ShapeError, "'w'", "()", "(2,)"))
def guide_scalar():
    @vipl.program
    def model():
        w = vipl.sample("w", dist.MultivariateNormal(jnp.zeros(2), jnp.eye(2)))  # <- here
        vipl.sample("y", dist.Normal(w.sum(), 1.0), obs=1.0)

    @vipl.program
    def guide(loc):
        vipl.sample("w", dist.Normal(loc, 1.0))  # <- here

    jax.grad(lambda loc: objectives.elbo(jax.random.key(0), model(), guide(loc)))(0.0)


@fault("9a", "matrix in the wrong order in a guide", Raises(vipl.ShapeError, "'w'", "(3, 2)", "(2, 3)"))
def guide_transposed():
    @vipl.program
    def model():
        with vipl.plate("in", 3), vipl.plate("out", 2):
            w = vipl.sample("w", dist.Normal(0.0, 1.0))  # <- here
        vipl.sample("y", dist.Normal(w.sum(), 1.0), obs=1.0)

    @vipl.program
    def guide():
        vipl.sample("w", dist.Normal(jnp.zeros((3, 2)), 1.0).to_event(2))  # <- here

    objectives.elbo(jax.random.key(0), model(), guide())


@fault(
    10,
    "observation (20, 1) against mean (20,)",
    Raises(vipl.ShapeError, "'y'", "(20, 1)", "(20,)", "reshape"),
)
def column_of_data():
    @vipl.program
    def model(x, y):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 20):
            vipl.sample("y", dist.Normal(w * x, 1.0), obs=y)  # <- here

    jax.jit(run)(model(X, X[:, None]))


@fault(
    "10a",
    "mean (20, 1) against data (20,) in a plate",
    Raises(vipl.ShapeError, "'y'", "(20, 20)", "(20,)", "mean[:, 0]"),
)
def column_of_means():
    @vipl.program
    def model(x, y):
        w = vipl.sample("w", dist.Normal(jnp.zeros(1), 1.0).to_event(1))
        with vipl.plate("data", 20):
            vipl.sample("y", dist.Normal(x[:, None] @ w[:, None], 1.0), obs=y)  # <- here

    run(model(X, X))


@fault("10b", "column of data by condition", Raises(vipl.ShapeError, "'y'", "(20, 1)", "(20,)", "reshape"))
def column_by_condition():
    @vipl.program
    def model(x):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(w * x, 1.0).to_event(1))

    model(X) | {"y": X[:, None]}  # <- here


@fault("10c", "scalar datum for a plate of sites", Raises(vipl.ShapeError, "'y'", "()", "(20,)"))
def one_datum_for_all():
    @vipl.program
    def model():
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 20):
            vipl.sample("y", dist.Normal(w, 1.0), obs=0.5)  # <- here

    run(model())


@fault(
    11,
    "vector data at a scalar site",
    Raises(vipl.ShapeError, "'y'", "(20,)", 'vipl.plate("data", 20)', "to_event"),
)
def vector_without_plate():
    @vipl.program
    def model(y):
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)  # <- here

    run(model(X))


@fault("11a", "vector of means without a plate sums, as documented", Equals(-2.0 * 0.9189385))
def vector_of_means():
    @vipl.program
    def model(y):
        vipl.sample("y", dist.Normal(jnp.zeros(2), 1.0), obs=y)

    return run(model(jnp.zeros(2)))


@fault(12, "plate 10, data 20", Raises(vipl.ShapeError, "'y'", "'data'", "10", "20"))
def plate_too_small():
    @vipl.program
    def model(x, y):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 10):
            vipl.sample("y", dist.Normal(w * x, 1.0), obs=y)  # <- here

    run(model(X, X))


@fault(12, "plate 10, data 20, one mean", Raises(vipl.ShapeError, "'y'", "'data'", "(20,)", "(10,)"))
def plate_smaller_than_data():
    @vipl.program
    def model(y):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 10):
            vipl.sample("y", dist.Normal(w, 1.0), obs=y)  # <- here

    vipl.log_density(model(X), {"w": 0.0})


@fault(13, "plate 1, data 20", Raises(vipl.ShapeError, "'y'", "'data'", "20", "1"))
def plate_of_one_for_many():
    @vipl.program
    def model(x, y):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 1):
            vipl.sample("y", dist.Normal(w * x, 1.0), obs=y)  # <- here

    run(model(X, X))


@fault(13, "plate 1, data 20, one mean", Raises(vipl.ShapeError, "'y'", "'data'", "(20,)", "(1,)"))
def plate_of_one_for_data():
    @vipl.program
    def model(y):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 1):
            vipl.sample("y", dist.Normal(w, 1.0), obs=y)  # <- here

    run(model(X))


@fault("13a", "whole data in a subsampled plate", Raises(vipl.ShapeError, "'y'", "'data'", "data[i]"))
def not_subsampled():
    @vipl.program
    def model(y):
        w = vipl.sample("w", dist.Normal(0.0, 1.0))
        with vipl.plate("data", 20, subsample_size=5):
            vipl.sample("y", dist.Normal(w, 1.0), obs=y)  # <- here

    run(model(X))


@fault(33, "guide reused at another plate size", Raises(vipl.ShapeError, "'mu'", "(4,)", "(3,)"))
def guide_of_another_size():
    @vipl.program
    def guide(n):
        with vipl.plate("dim", n):
            vipl.sample("mu", dist.Normal(0.0, 1.0))  # <- here

    objectives.elbo(jax.random.key(0), vector_model(jnp.zeros(3)), guide(4))


@fault(33, "fitted params at another plate size", Raises(vipl.ParameterError, "'loc'", "(3,)", "(4,)"))
def params_of_another_size():
    @vipl.program
    def guide(n):
        with vipl.plate("dim", n):
            vipl.sample("mu", dist.Normal(vipl.param("loc", jnp.zeros(n)), 1.0))  # <- here

    params = vipl.init_params(jax.random.key(0), guide(3))
    vipl.with_params(guide(4), params)  # <- here
