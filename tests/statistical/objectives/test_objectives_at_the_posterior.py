"""Path and doubly reparameterised gradients have no noise where the guide is the posterior; others have."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conjugate import POSTERIOR, of_parameters, sample
from jax import lax
from numpyro.distributions.flows import InverseAutoregressiveTransform
from numpyro.distributions.transforms import AffineTransform, LowerCholeskyAffine

import vipl
import vipl.distributions as dist
from vipl import objectives

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("quick_compilation", "x64")]

QUIET = {
    "path_elbo": objectives.path_elbo,
    "iwelbo": objectives.iwelbo(4, "dreg"),
    "renyi": objectives.renyi(2, 4, "dreg"),
}
NOISY = {"elbo": objectives.elbo, "iwelbo": objectives.iwelbo(4)}


def largest(objective, model, guide, params, count=100):
    """Return the largest gradient in any of the guide's parameters at any of so many keys."""
    gradient = jax.grad(lambda key, params: objective(key, model, guide(params)), argnums=1)
    return max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(sample(gradient, count, params)))


def check_quiet(model, guide, params):
    for objective in QUIET.values():
        assert largest(objective, model, guide, params) <= 1e-10
    for objective in NOISY.values():
        assert largest(objective, model, guide, params) > 1e-2


@pytest.mark.parametrize("objective", QUIET.values(), ids=QUIET)
def test_no_noise_at_the_posterior(objective):
    found = sample(jax.grad(of_parameters(objective), argnums=1), 100, jnp.array(POSTERIOR))
    assert jnp.abs(found[:, :2]).max() <= 1e-10


@pytest.mark.parametrize("objective", NOISY.values(), ids=NOISY)
def test_noise_at_the_posterior(objective):
    found = sample(jax.grad(of_parameters(objective), argnums=1), 100, jnp.array(POSTERIOR))
    assert jnp.abs(found[:, :2]).max() > 0.1


DATA = np.array([0.5, -1.0, 2.0])
PRECISION = np.array([[2.0, 0.6, 0.0], [0.6, 1.5, -0.4], [0.0, -0.4, 1.0]])  # of the prior; the noise has 1


@vipl.program
def correlated():
    z = vipl.sample("z", dist.MultivariateNormal(np.zeros(3), precision_matrix=PRECISION))
    vipl.sample("y", dist.Normal(z, 1.0).to_event(1), obs=DATA)


def posterior():
    covariance = np.linalg.inv(PRECISION + np.eye(3))
    return {"loc": covariance @ DATA, "tril": np.linalg.cholesky(covariance)}


def full_rank(params):
    return dist.MultivariateNormal(params["loc"], scale_tril=jnp.tril(params["tril"]))


def transformed(params):
    return dist.TransformedDistribution(
        dist.Normal(0.0, 1.0).expand([3]).to_event(1), LowerCholeskyAffine(params["loc"], jnp.tril(params["tril"]))
    )


@pytest.mark.parametrize("family", [full_rank, transformed])
def test_full_covariance(family):
    guide = vipl.program(lambda params: vipl.sample("z", family(params)))
    check_quiet(correlated(), guide, posterior())


def flow(params):
    lower = np.tril(np.ones((3, 3)), -1)

    def network(x):
        return (params["shift"] * lower) @ jnp.tanh(x), (params["scale"] * lower) @ x - 0.2

    base = dist.Normal(0.0, 1.0).expand([3]).to_event(1)
    return dist.TransformedDistribution(base, [InverseAutoregressiveTransform(network), AffineTransform(0.3, 1.4)])


FLOW = {"shift": np.array([[0, 0, 0], [0.5, 0, 0], [-0.3, 0.8, 0]]), "scale": 0.3 * np.eye(3, k=-1)}


@vipl.program
def flowing():
    vipl.sample("z", flow(FLOW))
    vipl.sample("y", dist.Normal(0.0, 1.0), obs=1.0)


def by_argument(params):
    return vipl.program(lambda params: vipl.sample("z", flow(params)))(params)


def by_closure(params):
    return vipl.program(lambda: vipl.sample("z", flow(params)))()


@pytest.mark.parametrize("guide", [by_argument, by_closure])
def test_autoregressive_flow(guide):
    check_quiet(flowing(), guide, FLOW)


@vipl.expectation(has_aux=True)
def drawn(guide):
    return jnp.zeros(()), vipl.simulate(guide)["z"]


@pytest.mark.parametrize("guide", [by_argument, by_closure])
def test_path_gradient_of_a_flow_draw_by_draw(guide, key):
    """Away from the posterior: the density is taken of the moving draw under parameters that stay."""
    params = jax.tree.map(lambda x: 0.6 * x + 0.1, FLOW)
    _, z = drawn(key, guide(params))
    noise = flow(params).transforms[0].inv(flow(params).transforms[1].inv(z))

    def by_hand(moving):
        z = flow(moving)
        z = z.transforms[1](z.transforms[0](noise))
        return flow(FLOW).log_prob(z) - flow(lax.stop_gradient(params)).log_prob(z)

    found = jax.grad(lambda params: objectives.path_elbo(key, flowing(), guide(params)))(params)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-10), found, jax.grad(by_hand)(params))
