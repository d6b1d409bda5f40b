"""`docs/mini_vipl.py` against the real laws: densities by hand, draws that follow their law, unbiased gradients."""

import importlib.util
import pathlib
import zlib

import jax
import jax.numpy as jnp
import pytest
from helpers import assert_unbiased, draws
from laws.test_program_simulation import assert_independent_uniforms, columns_of
from program_registry import PROGRAMS, assert_density, in_float64

import vipl
import vipl.distributions as dist
from vipl.testing import FAMILIES

PATH = pathlib.Path(__file__).parents[2] / "docs" / "mini_vipl.py"
NAMES = (
    "normal_chain",
    "positive",
    "interval",
    "heavy_tails",
    "counts",
    "finite",
    "gaussians",
    "simplex",
    "python_loop",
)
NUM_DRAWS = draws(4000)
NUM_GRADIENTS = draws(40_000)

pytestmark = pytest.mark.usefixtures("quick_compilation")


def load():
    spec = importlib.util.spec_from_file_location("mini_vipl", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mini = load()


@pytest.fixture
def in_mini(monkeypatch):
    """Let the programs of the real tests, which call `vipl.sample`, be programs of mini_vipl."""
    monkeypatch.setattr(vipl, "sample", mini.sample)
    monkeypatch.setattr(vipl, "program", mini.program)


def test_it_is_read_in_one_sitting():
    assert len(PATH.read_text().splitlines()) <= 150


@pytest.mark.parametrize("name", NAMES)
def test_densities_are_those_written_by_hand(name, in_mini):
    case = PROGRAMS[name]
    program = case.program()
    for number in range(4):
        trace = mini.simulate(program, jax.random.key(number))
        terms = case.terms(in_float64(trace.choices))
        assert_density(trace.log_density, terms, 1e-5)
        assert_density(mini.log_density(program, trace.choices), terms, 1e-5)


@pytest.mark.statistical
@pytest.mark.parametrize("name", NAMES)
def test_draws_follow_their_law(name, in_mini):
    case = PROGRAMS[name]
    program = case.program()
    keys = jax.random.split(jax.random.key(zlib.crc32(name.encode())), NUM_DRAWS)
    drawn = in_float64(jax.jit(jax.vmap(lambda key: mini.simulate(program, key).choices))(keys))
    assert_independent_uniforms(*columns_of(case, drawn, NUM_DRAWS))


def cost_of(family, smooth):
    """Return a cost of two choices, the second of a law that the first moves, and the exact expectation."""
    feature = family.smooth if smooth else family.jumpy

    def estimator_of(module, estimator):
        @module.program
        def choices(theta):
            first = module.sample("first", family.make(theta), estimator=estimator)
            u = feature(first)
            second = module.sample("second", family.make(theta * (1.0 + 0.2 * u)), estimator=estimator)
            return u, feature(second)

        @module.expectation
        def objective(theta):
            trace = module.simulate(choices(theta))
            u, v = feature(trace.choices["first"]), feature(trace.choices["second"])
            return 1.0 + u + v * (1.0 + u) + 0.1 * jnp.sum(theta) * v

        return objective

    def exact(theta):
        def given(u):
            cost = lambda v: 1.0 + u + v * (1.0 + u) + 0.1 * jnp.sum(theta) * v  # noqa: E731
            return family.expect(theta * (1.0 + 0.2 * u), cost, smooth=smooth)

        return family.expect(theta, given, smooth=smooth)

    return estimator_of, exact


def gradients(objective, theta, count=NUM_GRADIENTS):
    keys = jax.random.split(jax.random.key(7), count)
    return jax.jit(jax.vmap(jax.value_and_grad(objective, argnums=1), in_axes=(0, None)))(keys, theta)


CELLS = [
    ("normal", mini.reparam, True),
    ("log_normal", mini.reparam, True),
    ("normal", mini.score_function, False),
    ("bernoulli", mini.score_function, False),
    ("categorical", mini.score_function, False),
    ("poisson", mini.score_function, False),
]


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "estimator", "smooth"), CELLS, ids=lambda value: getattr(value, "__name__", None))
def test_value_and_gradient_are_unbiased(name, estimator, smooth):
    theta = jnp.array(FAMILIES[name].theta)
    estimator_of, exact = cost_of(FAMILIES[name], smooth)
    found = gradients(estimator_of(mini, estimator), theta)
    assert_unbiased(found, jax.value_and_grad(exact)(theta), resolution=0.2)


@pytest.mark.statistical
def test_the_derivative_of_the_derivative_is_unbiased():
    theta = jnp.array(FAMILIES["bernoulli"].theta)
    estimator_of, exact = cost_of(FAMILIES["bernoulli"], smooth=False)
    keys = jax.random.split(jax.random.key(8), NUM_GRADIENTS)
    hessian = jax.hessian(estimator_of(mini, mini.score_function), argnums=1)
    found = jax.jit(jax.vmap(hessian, in_axes=(0, None)))(keys, theta)
    assert_unbiased(found, jax.hessian(exact)(theta), resolution=1.0)


@pytest.mark.statistical
def test_a_score_function_without_its_weight_is_rejected():
    def without_weight(distribution, key):
        return mini.score_function(distribution, key)[0], 0.0

    theta = jnp.array(FAMILIES["bernoulli"].theta)
    estimator_of, exact = cost_of(FAMILIES["bernoulli"], smooth=False)
    with pytest.raises(AssertionError, match="standard errors"):
        assert_unbiased(
            gradients(estimator_of(mini, without_weight), theta), jax.value_and_grad(exact)(theta), resolution=1
        )


def test_what_is_not_reparameterised_is_refused():
    @mini.program
    def coin():
        mini.sample("coin", dist.Bernoulli(0.5), estimator=mini.reparam)

    with pytest.raises(TypeError, match="score_function"):
        mini.simulate(coin(), jax.random.key(0))
