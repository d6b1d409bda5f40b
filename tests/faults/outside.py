"""Values outside of the support in `log_density`: −inf and a gradient of zero, for every kind of support."""

import jax
import jax.numpy as jnp
import numpy as np

import vipl
import vipl.distributions as dist

from .registry import Equals, fault

OUTSIDE = {  # every kind of support, and a value outside of it
    "half normal": (dist.HalfNormal(1.0), -1.0),
    "half Cauchy": (dist.HalfCauchy(1.0), -1.0),
    "exponential": (dist.Exponential(2.0), -1.0),
    "gamma": (dist.Gamma(2.0, 1.0), -1.0),
    "inverse gamma": (dist.InverseGamma(2.0, 1.0), -1.0),
    "beta": (dist.Beta(2.0, 3.0), 1.5),
    "uniform": (dist.Uniform(0.0, 1.0), 1.5),
    "Pareto": (dist.Pareto(1.0, 2.0), 0.5),
    "log-normal": (dist.LogNormal(0.0, 1.0), -1.0),
    "truncated normal": (dist.TruncatedNormal(0.0, 1.0, low=0.0), -1.0),
    "Weibull": (dist.Weibull(1.0, 2.0), -1.0),
    "Dirichlet": (dist.Dirichlet(jnp.ones(3)), jnp.array([0.5, 0.6, 0.1])),
    "LKJ": (dist.LKJCholesky(2, 1.0), jnp.array([[1.0, 0.0], [0.5, -0.5]])),
    "Bernoulli": (dist.Bernoulli(0.3), 2),
    "binomial": (dist.Binomial(4, 0.3), 5),
    "categorical": (dist.Categorical(jnp.array([0.5, 0.5])), 2),
    "Poisson": (dist.Poisson(3.0), -1),
    "geometric": (dist.Geometric(0.3), -1),
    "negative binomial": (dist.NegativeBinomial2(3.0, 1.0), -1),
}


def _value_and_gradient(name):
    distribution, value = OUTSIDE[name]

    @vipl.program
    def model(scale):
        vipl.sample("x", distribution)
        vipl.sample("y", dist.Normal(0.0, scale), obs=0.0)

    def density(scale, value):
        return vipl.log_density(model(scale), {"x": value})

    value = jnp.asarray(value)
    with_respect_to = (0, 1) if jnp.issubdtype(value.dtype, jnp.floating) else 0
    result, gradient = jax.jit(jax.value_and_grad(density, argnums=with_respect_to))(1.0, value)
    gradient = gradient if isinstance(gradient, tuple) else (gradient, jnp.zeros(()))
    return result, gradient[0], jnp.sum(jnp.abs(gradient[1]))


def _enter(name):
    @fault(16, f"{name} value outside of its support", Equals((-np.inf, -1.0, 0.0)))
    def outside():
        return _value_and_gradient(name)

    outside.__name__ = "outside_" + name.replace(" ", "_").replace("-", "_")


for _name in OUTSIDE:
    _enter(_name)


@fault("16a", "one value of a plate outside of its support", Equals((-np.inf, [-0.5, 0.0, -0.5])))
def outside_in_plate():
    @vipl.program
    def model():
        with vipl.plate("n", 3):
            vipl.sample("x", dist.Exponential(0.5))

    density = jax.value_and_grad(lambda x: vipl.log_density(model(), {"x": x}))
    value, gradient = density(jnp.array([1.0, -1.0, 2.0]))
    return value, list(gradient)
