"""Families that push noise: the Jacobian against automatic differentiation, the way back, and where they start."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guide_families import FAMILIES

from vipl import guides
from vipl.guides.flows.layer import Layer
from vipl.guides.flows.spline import bend, num_parameters, unbend

pytestmark = pytest.mark.usefixtures("x64", "quick_compilation")

FLOWS = ("flow_autoregressive", "flow_coupling", "flow_splines")
SIZES = (0, 1, 4)


def params_of(family, size, spread, seed=0):
    random = np.random.default_rng(seed)
    start = family.initial(np.zeros(size), True, None, None)
    return {name: value + spread * random.standard_normal(np.shape(value)) for name, value in start.items()}


def worst(family, size, spread=1.0):
    """Return how far Jacobian and way back are from right, and the Jacobian."""
    params = params_of(family, size, spread)
    noise = np.random.default_rng(1).standard_normal(size)

    @jax.jit
    def run(noise):
        law = family.law(params, None)
        vector, log_jacobian = law.push(noise)
        return jax.jacfwd(lambda e: law.push(e)[0])(noise), log_jacobian, law.pull(vector)

    jacobian, log_jacobian, (back, log_back) = run(noise)
    errors = [np.linalg.slogdet(jacobian)[1] - log_jacobian, log_back - log_jacobian, *(back - noise)]
    return np.max(np.abs(errors)), jacobian


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [*FLOWS, "full_rank", "low_rank"])
def test_jacobian_and_way_back(name, size):
    error, jacobian = worst(FAMILIES[name], size)
    assert jacobian.shape == (size, size)
    assert error < 1e-9


def test_a_wrong_jacobian_is_rejected():
    @dataclasses.dataclass(frozen=True)
    class Careless(guides.LowRank):
        def law(self, params, coordinates):
            law = super().law(params, coordinates)
            return dataclasses.replace(law, push=lambda noise: (law.push(noise)[0], law.push(noise)[1] / 2))

    assert worst(Careless(), 4)[0] > 1e-2


@pytest.mark.parametrize("name", FLOWS)
def test_flows_start_as_the_identity(name):
    noise = np.array([0.3, -1.2, 4.0, 7.0])
    vector, log_jacobian = FAMILIES[name].law(params_of(FAMILIES[name], 4, 0.0), None).push(noise)
    np.testing.assert_allclose(vector, noise, atol=1e-12)
    np.testing.assert_allclose(log_jacobian, 0.0, atol=1e-12)


@pytest.mark.parametrize(("rank", "columns"), [(None, 2), (1, 1), (3, 3), (9, 4)])
def test_covariance_of_low_rank(rank, columns):
    family = guides.LowRank(rank)
    params, (_, jacobian) = params_of(family, 4, 1.0), worst(family, 4)
    assert params["factor"].shape == (4, columns)
    scale = jax.nn.softplus(params["scale"])
    expected = np.diag(scale**2) + params["factor"] @ params["factor"].T
    np.testing.assert_allclose(jacobian @ jacobian.T, expected, rtol=1e-9)


@pytest.mark.parametrize("groups", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 0, 1, 1), (1, 0, 1, 0)])
def test_a_coordinate_is_moved_by_the_groups_before_its_own(groups):
    layer = Layer(groups, 8, 3)
    random = np.random.default_rng(0)
    weights = {k: v + 3 * random.standard_normal(v.shape) for k, v in layer.conditioner.initial(float).items()}
    jacobian = jax.jacfwd(lambda x: layer.push(weights, x)[0])(random.standard_normal(4))
    moved_by = np.array(groups)[None, :] < np.array(groups)[:, None]
    np.testing.assert_array_equal(jacobian != 0, moved_by | np.eye(4, dtype=bool))


def test_splines_increase_and_are_smooth():
    random = np.random.default_rng(0)
    raw = np.tile(2 * random.standard_normal(num_parameters(4)), (4001, 1))
    x = np.linspace(-7, 7, 4001)
    y, log_slope = bend(raw, x)
    slopes = jax.vmap(jax.grad(lambda raw, x: bend(raw[None], x[None])[0][0], argnums=1))(raw, x)
    np.testing.assert_allclose(log_slope, jnp.log(slopes), atol=1e-9)
    np.testing.assert_array_less(0, np.diff(y))
    np.testing.assert_allclose(y[np.abs(x) > 5], x[np.abs(x) > 5])
    assert np.max(np.abs(np.diff(slopes))) < 0.2, "the slope jumps"
    np.testing.assert_allclose(unbend(raw, y)[0], x, atol=1e-9)
    np.testing.assert_allclose(unbend(raw, y)[1], log_slope, atol=1e-9)
