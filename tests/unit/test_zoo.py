"""The exact expectations are exact: a density integrates to one for all parameters, and its derivatives to zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from zoo import FAMILIES


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.55])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_mass_is_one_and_its_derivatives_zero(family, factor, x64):
    def mass(theta):
        return family.expect(theta, lambda u: jnp.ones_like(u), smooth=True)

    theta = factor * jnp.array(family.theta)
    np.testing.assert_allclose(mass(theta), 1.0, atol=2e-4)
    np.testing.assert_allclose(jax.grad(mass)(theta), 0.0, atol=2e-4)
    np.testing.assert_allclose(jax.hessian(mass)(theta), 0.0, atol=1e-3)
