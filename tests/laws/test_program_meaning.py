"""What a program means in float32: its density is that written by hand, its draws depend on the key alone."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
from jax.errors import JAXTypeError
from program_registry import PROGRAMS, assert_density, in_float64
from programs.hand import normal

import vipl

pytestmark = pytest.mark.usefixtures("quick_compilation")

NUM_KEYS = 4
SINGLE = 1e-5


@dataclasses.dataclass
class Evidence:
    """One program, drawn with every key; `densities` are of the trace, of the trace again, of a dict."""

    case: object
    program: object
    keys: object
    traces: object
    densities: object
    terms: list

    def trace(self, i):
        return jax.tree.map(lambda leaf: leaf[i], self.traces)


def given_by(program, trace):
    """Return what log_density wants in a plain dict: the choices, and the indices that are not observed."""
    indices = {name: index for name, index in trace.indices.items() if name not in program.observations}
    return dict(trace.choices) | indices


@jax.jit
@functools.partial(jax.vmap, in_axes=(None, 0))
def run(program, key):
    trace = vipl.simulate(program, key)
    given = given_by(program, trace)
    densities = (trace.log_density, vipl.log_density(program, trace), vipl.log_density(program, given))
    return trace, densities


@pytest.fixture(scope="module", params=PROGRAMS)
def evidence(request):
    case = PROGRAMS[request.param]
    program, keys = case.program(), jax.random.split(jax.random.key(7), NUM_KEYS)
    traces, densities = jax.device_get(run(program, keys))
    found = Evidence(case, program, keys, traces, densities, [])
    for i in range(NUM_KEYS):
        trace = found.trace(i)
        found.terms.append(case.terms(in_float64(trace.choices | trace.indices)))
    return found


def test_log_density_is_that_written_by_hand(evidence):
    for i, terms in enumerate(evidence.terms):
        for density in evidence.densities:
            assert_density(density[i], terms, SINGLE)


def test_every_site_has_its_own_term(evidence):
    for i, terms in enumerate(evidence.terms):
        trace = evidence.trace(i)
        for address, site in trace.sites.items():
            assert_density(site.log_prob.sum(), {address: terms[address]}, SINGLE)
        factors = {address: term for address, term in terms.items() if address not in trace.sites}
        assert not factors.keys() & trace.keys(), "a site or a deterministic value without a term"


def test_a_wrong_density_is_rejected(evidence):
    """Whatever term is forgotten, or counted twice, the comparison notices."""
    for address in evidence.terms[0]:
        seen = [i for i, terms in enumerate(evidence.terms) if abs(terms[address]) > 1e-3]
        for i in seen[:1]:
            for factor in (0.0, 2.0):
                wrong = evidence.terms[i] | {address: factor * evidence.terms[i][address]}
                with pytest.raises(AssertionError):
                    assert_density(evidence.densities[0][i], wrong, SINGLE)


def test_eager_draws_are_those_under_jit_and_vmap(evidence):
    eager = vipl.simulate(evidence.program, evidence.keys[1])
    for address, value in (eager.choices | eager.indices).items():
        together = (evidence.traces.choices | evidence.traces.indices)[address][1]
        assert value.dtype == together.dtype
        if value.dtype.kind == "f":
            np.testing.assert_allclose(value, together, rtol=2e-5, atol=2e-6, err_msg=address)
        else:
            np.testing.assert_array_equal(value, together, err_msg=address)
    terms = evidence.case.terms(in_float64(eager.choices | eager.indices))
    assert_density(eager.log_density, terms, SINGLE)


def test_a_key_decides_the_draws(evidence):
    compiled = run._cache_size()
    again, _ = run(evidence.case.program(), evidence.keys)
    assert run._cache_size() == compiled, "the same program, made anew, was compiled anew"
    jax.tree.map(np.testing.assert_array_equal, again, evidence.traces)
    for address, site in again.sites.items():
        known = site.observed or isinstance(site.distribution, vipl.distributions.Delta)
        if site.value.dtype.kind == "f" and not known and np.all(site.value[:2]):
            assert not np.any(site.value[0] == site.value[1]), f"{address}: two keys, one draw"


def test_a_trace_is_a_mapping_and_a_pytree(evidence):
    trace = evidence.trace(0)
    assert list(trace) == list(trace.keys())
    assert len(trace) == len(list(trace))
    assert set(trace) == set(trace.choices) | set(trace.observed) | set(trace.deterministics)
    assert set(trace.sites) == set(trace.choices) | set(trace.observed)
    for address, value in trace.items():
        assert address in trace
        assert trace.get(address) is value
    assert "no such address" not in trace
    assert trace.get("no such address", 3) == 3
    with pytest.raises(vipl.AddressError):
        trace["no such address"]
    text = repr(trace)
    assert text.startswith("Trace, log_density")
    assert len(text.splitlines()) == 1 + len(trace)
    assert all(address in text for address in trace)
    copied = jax.tree.map(np.asarray, trace)
    assert jax.tree.structure(copied) == jax.tree.structure(evidence.trace(1))
    assert list(copied) == list(trace)


def test_a_trace_of_tracers_has_a_repr():
    def inside(key):
        trace = vipl.simulate(PROGRAMS["normal_chain"].program(), key)
        assert "float32[]" in repr(trace)
        with pytest.raises(JAXTypeError):
            float(trace["mu"])
        return trace

    assert list(jax.jit(inside)(jax.random.key(0))) == ["mu", "tau", "x", "y"]


def test_the_registry_is_large():
    assert len(PROGRAMS) >= 75


def unscaled(c):
    return {
        address: term / (4 if address in ("z", "y", "f") else 1)
        for address, term in PROGRAMS["plate_subsampled"].terms(c).items()
    }


def first_branch_always(c):
    return PROGRAMS["cond"].terms(c | {"p": np.ones(())}) | {"p": PROGRAMS["cond"].terms(c)["p"]}


def lanes_before_steps(c):
    return PROGRAMS["scan_in_jax_vmap"].terms({"z": c["z"].T.reshape(c["z"].shape)})


def scale_forgotten(c):
    return PROGRAMS["normal_chain"].terms(c) | {"x": normal(c["x"], c["mu"])}


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("plate_subsampled", unscaled),
        ("cond", first_branch_always),
        ("scan_in_jax_vmap", lanes_before_steps),
        ("normal_chain", scale_forgotten),
    ],
)
def test_a_twin_that_means_something_else_is_rejected(name, twin):
    program, keys = PROGRAMS[name].program(), jax.random.split(jax.random.key(7), NUM_KEYS)
    traces, (densities, *_) = jax.device_get(run(program, keys))
    rejected = []
    for i in range(NUM_KEYS):
        values = in_float64(jax.tree.map(lambda leaf: leaf[i], traces.choices | traces.indices))  # noqa: B023
        assert_density(densities[i], PROGRAMS[name].terms(values), SINGLE)
        try:
            assert_density(densities[i], twin(values), SINGLE)
        except AssertionError:
            rejected.append(i)
    assert rejected
