"""Every family of guides against quadrature: its density has mass one, and its gradients are unbiased.

The quadrature is of the density at given values, on a grid that does not move with the params: nothing in it is
reparameterised, and the sampler has no part in it.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guide_families import FAMILIES, TRAINED, built
from helpers import assert_unbiased, draws

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.objectives import elbo

pytestmark = [pytest.mark.usefixtures("quick_compilation"), pytest.mark.statistical]


@vipl.program
def scale_and_location(y):
    """A posterior that is not normal, and whose log density is bounded by a square: no gradient has heavy tails."""
    tau = vipl.sample("tau", dist.LogNormal(0.0, 0.7))
    x = vipl.sample("x", dist.Normal(0.5, 1.0 + 0.5 * jnp.tanh(tau)))
    vipl.sample("y", dist.Normal(x + jnp.sin(x), 1.0), obs=y)


MODEL = scale_and_location(1.5)
AXES = np.linspace(-5, 5, 101), np.linspace(-9, 9, 181)
LOG_TAU, X = (axis.ravel().astype(np.float32) for axis in np.meshgrid(*AXES, indexing="ij"))
AREA = float(np.prod([axis[1] - axis[0] for axis in AXES]))


def by_quadrature(guide, params):
    """Return the mass of the guide, and the evidence lower bound with its gradient."""

    def bound(params):
        program = vipl.with_params(guide, params)

        def integrands(log_tau, x):
            values = {"tau": jnp.exp(log_tau), "x": x}
            log_q = vipl.log_density(program, values)
            share = AREA * jnp.exp(log_q + log_tau)
            return share, jnp.where(share > 0, share * (vipl.log_density(MODEL, values) - log_q), 0.0)

        mass, value = jax.vmap(integrands)(LOG_TAU, X)
        return jnp.sum(value), jnp.sum(mass)

    (value, mass), gradient = jax.jit(jax.value_and_grad(bound, has_aux=True))(params)
    return mass, (value, gradient)


def by_draws(model, guide, params, count, seed=0):
    """Return estimates of the bound and of its gradient, each of one draw."""
    estimate = jax.value_and_grad(lambda params, key: elbo(key, model, vipl.with_params(guide, params)))
    keys = jax.random.split(jax.random.key(seed), count)
    return jax.jit(jax.vmap(estimate, (None, 0)))(params, keys)


def check(family, count=20_000, seed=0):
    guide, params = built(family, MODEL)
    mass, exact = by_quadrature(guide, params)
    assert abs(mass - 1) < 2e-3, f"mass {mass}"
    assert_unbiased(by_draws(MODEL, guide, params, draws(count), seed), exact, resolution=0.2)


@pytest.mark.parametrize("name", TRAINED)
def test_mass_is_one_and_gradients_are_unbiased(name):
    check(FAMILIES[name])


@dataclasses.dataclass(frozen=True)
class Careless(guides.FullRank):
    """A normal that leaves out Jacobians: of its draws, or of given values, or of both."""

    of_draws: bool = True
    of_values: bool = True

    def law(self, params, coordinates):
        law = super().law(params, coordinates)
        push = (lambda noise: (law.push(noise)[0], 0.0)) if self.of_draws else law.push
        pull = (lambda vector: (law.pull(vector)[0], 0.0)) if self.of_values else law.pull
        return dataclasses.replace(law, push=push, pull=pull)


@pytest.mark.parametrize(
    ("which", "what"),
    [({"of_values": False}, "standard errors"), ({"of_draws": False}, "mass"), ({}, "mass")],
)
def test_a_density_without_the_jacobian_is_rejected(which, what):
    with pytest.raises(AssertionError, match=what):
        check(Careless(0.5, **which))


@vipl.program
def local_sites(y):
    with vipl.plate("n", len(y), subsample_size=2) as index:
        z = vipl.sample("z", dist.Normal(0.0, 1.0))
        b = vipl.sample("b", dist.Bernoulli(0.3))
        vipl.sample("y", dist.Normal(z + b, 1.0), obs=jnp.asarray(y)[index])


Y = np.array([1.0, -0.5, 2.0, 0.3], np.float32)


def exact_bound(params):
    """The evidence lower bound of all elements, in closed form."""
    loc, scale = params["z.loc"], jax.nn.softplus(params["z.scale"])
    bound = 0.5 + jnp.log(scale) - 0.5 * (loc**2 + scale**2) - 0.5 * np.log(2 * np.pi)
    for b, prior in ((0, 0.7), (1, 0.3)):
        log_q = jax.nn.log_sigmoid((2 * b - 1) * params["b.logits"])
        bound += jnp.exp(log_q) * (np.log(prior) - log_q - 0.5 * ((Y - loc - b) ** 2 + scale**2))
    return jnp.sum(bound)


def estimates_of_local_sites(count=4000, seed=0):
    guide, params = built(guides.FullRank(), local_sites(Y))
    exact = jax.value_and_grad(exact_bound)(params)
    return by_draws(local_sites(Y), guide, params, draws(count), seed), exact


def test_local_and_discrete_sites_of_a_subsampled_plate():
    estimates, exact = estimates_of_local_sites()
    assert_unbiased(estimates, exact, resolution=0.5)
    with pytest.raises(AssertionError, match="standard errors"):
        assert_unbiased(jax.tree.map(lambda x: x / 2, estimates), exact, resolution=0.5)
