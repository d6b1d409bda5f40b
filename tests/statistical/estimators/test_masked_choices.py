"""A mask takes a choice out of the log density, and leaves how it is drawn, and so its gradient, as it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased
from matrix.cells import SERVES

import vipl
import vipl.distributions as dist
from vipl import estimators

pytestmark = [pytest.mark.statistical, pytest.mark.usefixtures("quick_compilation", "x64")]

BERNOULLI = [name for name, (_, families) in SERVES.items() if "bernoulli" in families.split()]
MASKS = {"off": False, "one of two": np.array([True, False])}


def gradients(objective, theta, number=20_000):
    keys = jax.random.split(jax.random.key(0), number)
    return jax.jit(jax.vmap(lambda key: jax.grad(objective, argnums=1)(key, theta)))(keys)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("name", BERNOULLI)
def test_gradient_through_masked_draws(name, mask):
    estimator, _ = SERVES[name]

    @vipl.expectation(estimators={"z": estimator})
    def objective(p):
        with vipl.plate("n", 2):
            z = vipl.sample("z", dist.Bernoulli(p * jnp.array([1.0, 2.0])).mask(mask))
        return jnp.sum(jnp.exp(z * 1.0))

    exact = 3 * (np.e - 1)
    assert_unbiased(gradients(objective, 0.3), exact, resolution=0.1 * exact)


@pytest.mark.parametrize("estimator", [estimators.ScoreFunction(), estimators.Enumerate()], ids=repr)
def test_elbo_of_a_masked_guide(estimator):
    """The mask takes the guide's own density out of the objective; the draws are as before."""

    @vipl.program
    def guide(p):
        with vipl.plate("n", 2):
            vipl.sample("z", dist.Bernoulli(p).mask(np.array([True, False])), estimator=estimator)

    @vipl.expectation
    def objective(p):
        trace = vipl.simulate(guide(p))
        return jnp.sum(jnp.exp(trace["z"] * 1.0)) - trace.log_density

    exact = 2 * (np.e - 1) - (np.log(0.3) - np.log(0.7))
    assert_unbiased(gradients(objective, 0.3), exact, resolution=0.1 * exact)


def test_pairs_of_geometric_choices_are_drawn_for_each_element():
    """Probabilities that differ along the first axis only: the elements along the second are independent."""

    @vipl.expectation(estimators={"z": estimators.MeasureValued()})
    def objective(p):
        with vipl.plate("row", 2, dim=-2), vipl.plate("column", 3, dim=-1):
            z = vipl.sample("z", dist.Geometric(p))
        return 1.0 * z[0, 0] * z[0, 1]

    p = jnp.array([[0.4], [0.5]])
    keys = jax.random.split(jax.random.key(1), 50_000)
    exact = (0.6 / 0.4) ** 2
    assert_unbiased(jax.jit(jax.vmap(lambda key: objective(key, p)))(keys), exact, resolution=0.1 * exact)
