"""A distribution may be built straight from arguments that are traced: every one, as a latent and as an observed site.

Nothing is known of such parameters while a program is staged, not even by the checks of what is known.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from distribution_registry import CASES

import vipl
import vipl.distributions as dist
from vipl.distributions.mended import mended


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.samples])
def test_sites_of_traced_parameters(name):
    made = CASES[name].make()
    leaves, structure = jax.tree.flatten(mended(made.to_event(len(made.batch_shape))))

    @vipl.program
    def program(leaves, value=None):
        return vipl.sample("x", jax.tree.unflatten(structure, leaves), obs=value)

    def both(leaves, value):
        drawn = vipl.simulate(program(leaves), jax.random.key(0))
        observed = vipl.simulate(program(leaves, value), jax.random.key(0))
        return drawn["x"], drawn.log_density, observed.log_density

    value = np.ones(made.shape())
    drawn, *densities = jax.eval_shape(both, [jnp.asarray(leaf) for leaf in leaves], value)
    assert drawn.shape == value.shape
    assert all(density.shape == () for density in densities)


@pytest.mark.parametrize(
    "make",
    [
        lambda: dist.Levy(0.5, 1.5),
        lambda: dist.Levy(jnp.array([0.5, 0.1]), 1.5).to_event(1),
        lambda: dist.HurdleNegativeBinomial2(0.3, 2.0, 1.5),
        lambda: dist.HurdleNegativeBinomial2(jnp.array([0.3, 0.4]), 2.0, 1.5).to_event(1),
    ],
)
def test_classes_that_numpyro_cannot_put_together_again(make):
    @vipl.program
    def program():
        return vipl.sample("x", make())

    trace = vipl.simulate(program(), jax.random.key(1))
    np.testing.assert_allclose(trace.log_density, jnp.sum(make().log_prob(trace["x"])), rtol=1e-5)
    np.testing.assert_allclose(vipl.log_density(program(), trace), trace.log_density, rtol=1e-5)
    assert vipl.log_density(program(), {"x": jnp.full_like(trace["x"], -1)}) == -np.inf
