"""Gradients that are right to first order refuse a second derivative, however it is taken."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives

FIRST_ORDER = {
    "iwelbo, dreg": objectives.iwelbo(2, "dreg"),
    "iwelbo, vimco": objectives.iwelbo(2, "vimco"),
    "renyi, dreg": objectives.renyi(0.5, 2, "dreg"),
}


@vipl.program
def model(y):
    x = vipl.sample("x", dist.Normal(0.0, 1.0))
    vipl.sample("y", dist.Normal(x, 1.0), obs=y)


SECOND = {
    "grad of grad": lambda f: jax.grad(jax.grad(f)),
    "jacfwd of jacfwd": lambda f: jax.jacfwd(jax.jacfwd(f)),
    "hessian": lambda f: jax.jit(jax.hessian(f)),
    "of guide and data": lambda f: jax.grad(lambda loc, y: jax.grad(f, 1)(loc, y)),
    "of data and guide": lambda f: jax.grad(lambda loc, y: jax.grad(f, 0)(loc, y), argnums=1),
}


@pytest.mark.parametrize("name", FIRST_ORDER)
@pytest.mark.parametrize("second", SECOND.values(), ids=SECOND)
def test_second_derivatives(name, second, key):
    @vipl.program
    def scored(loc):
        vipl.sample("x", dist.Normal(loc, 0.7), estimator=estimators.ScoreFunction() if "vimco" in name else None)

    function = second(lambda loc, y: FIRST_ORDER[name](key, model(y), scored(loc)))
    with pytest.raises(vipl.EstimatorError, match="second derivative is taken through gradient=.*first order only"):
        function(0.3, 1.0)


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_first_derivatives_by_every_mode(name, key):
    """Of the guide, of the data, of both; forward, reverse, under vmap over either alone."""

    @vipl.program
    def guide(loc):
        vipl.sample("x", dist.Normal(loc, 0.7), estimator=estimators.ScoreFunction() if "vimco" in name else None)

    def function(loc, y):
        return FIRST_ORDER[name](key, model(y), guide(loc))

    for argnum, axes in ((0, (0, None)), (1, (None, 0))):
        points = [jnp.array([0.3, -0.8]), jnp.array([1.0, 2.0])]
        args = [points[i] if i == argnum else points[i][0] for i in range(2)]
        modes = (jax.grad(function, argnum), jax.jacfwd(function, argnum), jax.jit(jax.grad(function, argnum)))
        found = [jax.jit(jax.vmap(mode, axes))(*args) for mode in modes]
        mapped = lambda *args, axes=axes: jnp.sum(jax.jit(jax.vmap(function, axes))(*args))  # noqa: E731
        found.append(jax.grad(mapped, argnum)(*args))
        found.append(jnp.stack([modes[0](*(x[k] if x.ndim else x for x in args)) for k in range(2)]))
        for other in found[1:]:
            np.testing.assert_allclose(other, found[0], rtol=1e-5)
