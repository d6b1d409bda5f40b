"""What a program means in float64: its density to rounding, and its gradient against central differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from program_registry import PROGRAMS, assert_density, in_float64

import vipl

pytestmark = pytest.mark.usefixtures("quick_compilation")

DOUBLE = 1e-12
STEP = 1e-5


def smooth_choices(trace):
    return {a: v for a, v in trace.choices.items() if jnp.issubdtype(v.dtype, jnp.floating)}


def run(program, key):
    trace = vipl.simulate(program, key)
    fixed = {a: v for a, v in trace.choices.items() if a not in smooth_choices(trace)}
    fixed |= {name: index for name, index in trace.indices.items() if name not in program.observations}
    gradient = jax.grad(lambda moving: vipl.log_density(program, moving | fixed))(smooth_choices(trace))
    return trace, vipl.log_density(program, trace), gradient


def run_without_gradient(program, key):
    trace = vipl.simulate(program, key)
    return trace, vipl.log_density(program, trace), {}


@pytest.fixture(scope="module", params=PROGRAMS)
def evidence(request):
    case = PROGRAMS[request.param]
    with jax.enable_x64(True):
        program, keys = case.program(), jax.random.split(jax.random.key(11), 3)
        draw = run if case.smooth else run_without_gradient
        drawn = jax.device_get(jax.jit(jax.vmap(draw, in_axes=(None, 0)))(program, keys))
    return case, [jax.tree.map(lambda leaf: leaf[i], drawn) for i in range(len(keys))]  # noqa: B023


def test_log_density_is_that_written_by_hand(evidence):
    case, drawn = evidence
    for trace, density, _ in drawn:
        assert all(value.dtype == np.float64 for value in smooth_choices(trace).values())
        terms = case.terms(in_float64(trace.choices | trace.indices))
        assert_density(trace.log_density, terms, DOUBLE)
        assert_density(density, terms, DOUBLE)


def test_gradient_is_that_of_central_differences(evidence):
    case, drawn = evidence
    trace, _, gradient = drawn[0]
    values = in_float64(trace.choices | trace.indices)

    def density(address, index, shift):
        moved = values[address].copy()
        moved[index] += shift
        return sum(float(term) for term in case.terms(values | {address: moved}).values())

    for address, found in gradient.items():
        for index in np.ndindex(found.shape):
            step = STEP * max(1.0, abs(values[address][index])) if values[address][index] else STEP
            step = min(step, abs(values[address][index]) * 1e-3) if values[address][index] else step
            by_hand = (density(address, index, step) - density(address, index, -step)) / (2 * step)
            np.testing.assert_allclose(found[index], by_hand, rtol=2e-5, atol=2e-6, err_msg=f"{address}{list(index)}")


def test_one_program_serves_both_precisions():
    """The same Program object, staged in both, in either order; values of the other precision are welcome."""
    case = PROGRAMS["scan_of_trees"]
    program = case.program()
    single = vipl.simulate(program, jax.random.key(0))
    with jax.enable_x64(True):
        double = vipl.simulate(program, jax.random.key(0))
        assert double["z"].dtype == np.float64
        terms = case.terms(in_float64(double.choices))
        assert_density(double.log_density, terms, DOUBLE)
        mixed = vipl.log_density(program, jax.tree.map(np.asarray, single.choices))
        assert mixed.dtype == np.float64
        assert_density(mixed, case.terms(in_float64(single.choices)), DOUBLE)
    again = vipl.simulate(program, jax.random.key(0))
    assert again["z"].dtype == np.float32
    np.testing.assert_array_equal(again["z"], single["z"])
    assert_density(vipl.log_density(program, jax.tree.map(np.asarray, double.choices)), terms, 1e-5)
