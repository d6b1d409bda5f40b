"""The log density in unconstrained coordinates: its Jacobian, its way there and back, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vipl
import vipl.distributions as dist
from vipl.guides.unconstrained import unconstrained

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def model(y):
    tau = vipl.sample("tau", dist.HalfCauchy(2.0))
    with vipl.plate("group", 3):
        mu = vipl.sample("mu", dist.Normal(0.0, tau))
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y)


SITES = {
    "positive": dist.Gamma(2.0, 1.0),
    "simplex": dist.Dirichlet(jnp.array([1.0, 2.0, 3.0])),
    "plated": dist.Beta(2.0, 2.0).expand([2]).to_event(1),
}


@vipl.program
def supports(distribution):
    x = vipl.sample("x", distribution)
    vipl.sample("y", dist.Normal(jnp.sum(x**2), 1.0), obs=0.5)


@pytest.mark.parametrize("name", SITES)
def test_the_jacobian_is_that_of_the_map(name, x64):
    program = supports(SITES[name])
    target = unconstrained(program, "a test")
    (aval,) = target.shapes.values()
    x = 0.3 * np.arange(1.0, 1 + max(aval.size, 1)).reshape(aval.shape)

    @jax.jit
    def both_ways(x):
        value = target.constrain({"x": x})
        matrix = jax.jacobian(lambda x: target.constrain({"x": x})["x"])(x)
        density = vipl.log_density(program, value)
        return matrix, density, target.log_density({"x": x}), target.unconstrain(value)["x"]

    matrix, density, found, again = both_ways(x)
    matrix = np.reshape(matrix, (-1, aval.size))[: aval.size]  # the last entry of a simplex follows from the others
    log_jacobian = np.linalg.slogdet(matrix)[1]
    np.testing.assert_allclose(found, density + log_jacobian, rtol=1e-9)
    assert abs(log_jacobian) > 0.01  # the twin has no Jacobian
    np.testing.assert_allclose(again, x, rtol=1e-9)


def test_plain_jax_and_traced_once_for_all_data_of_a_shape():
    traces = []

    @jax.jit
    def gradient(target, values):
        traces.append(None)
        return jax.grad(target.log_density)(values)

    values = {"tau": jnp.array(0.3), "mu": jnp.arange(3.0)}
    for level in (0.0, 1.0):
        y = level + jnp.arange(3.0)
        found = gradient(unconstrained(model(y), "a test"), values)
        np.testing.assert_allclose(found["mu"], (y - values["mu"]) - values["mu"] / jnp.exp(0.6), rtol=1e-5)
    assert len(traces) == 1
    many = jax.tree.map(lambda x: jnp.stack([x, x + 1]), values)
    target = unconstrained(model(jnp.zeros(3)), "a test")
    found = jax.jit(jax.vmap(target.log_density))(many)
    np.testing.assert_allclose(found[0], vipl.log_density(target.program, target.constrain(values)) + 0.3, rtol=1e-6)
    assert found[0] != found[1]


def test_the_vector_is_the_sites_one_after_the_other():
    target = unconstrained(model(jnp.zeros(3)), "a test")
    values = {"mu": jnp.arange(3.0), "tau": jnp.array(0.3)}
    np.testing.assert_allclose(target.vector(values), [0.3, 0, 1, 2])
    np.testing.assert_allclose(target.coordinates.constrain(target.vector(values))[0]["mu"], values["mu"])


def test_wrong_values_are_named():
    target = unconstrained(model(jnp.zeros(3)), "a test")
    with pytest.raises(vipl.AddressError, match=r"no latent site 'tu'. Did you mean 'tau'"):
        target.log_density({"tu": 0.3, "mu": jnp.zeros(3)})
    with pytest.raises(vipl.AddressError, match="no unconstrained value for the latent site 'tau'"):
        target.log_density({"mu": jnp.zeros(3)})
    with pytest.raises(vipl.ShapeError, match=r"'mu' has shape \(2,\)"):
        target.log_density({"tau": 0.3, "mu": jnp.zeros(2)})


def test_what_has_no_density_that_can_be_differentiated_is_refused():
    @vipl.program
    def coin(length):
        p = vipl.sample("p", dist.Beta(1.0, 1.0))
        with vipl.plate("flip", 4, subsample_size=length):
            z = vipl.sample("z", dist.Bernoulli(p))
            vipl.sample("y", dist.Normal(z * 1.0, 1.0), obs=jnp.zeros(length))

    with pytest.raises(vipl.EstimatorError, match=r"a test .* 'z' is discrete(.|\n)*marginal\(model, \['p'\]"):
        unconstrained(coin(4), "a test")
    summed = unconstrained(vipl.marginal(coin(4), ["p"], vipl.Exact()), "a test")
    assert list(summed.shapes) == ["p"]
    assert np.isfinite(summed.log_density({"p": jnp.array(0.1)}))
    with pytest.raises(vipl.DensityError, match="an estimate"):
        unconstrained(vipl.marginal(coin(4), ["p"], vipl.Importance(num_particles=2)), "a test")

    @vipl.program
    def minibatched():
        mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
        with vipl.plate("datum", 4, subsample_size=2):
            vipl.sample("y", dist.Normal(mu, 1.0), obs=jnp.zeros(2))

    with pytest.raises(vipl.ShapeError, match="without subsample_size"):
        unconstrained(minibatched(), "a test")
