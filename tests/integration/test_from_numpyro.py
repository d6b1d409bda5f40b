"""`vipl.from_numpyro`: the same densities and the same ELBO as NumPyro's own, for programs in its idioms."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from helpers import draws
from numpyro import handlers
from numpyro.contrib.control_flow import scan
from numpyro.infer import Trace_ELBO
from numpyro.infer.autoguide import AutoMultivariateNormal
from numpyro.infer.util import log_density
from numpyro_programs import CASES
from numpyro_programs.case import SIGMA, Case, X, Y
from numpyro_programs.plain import eight_schools, regression, regression_guide
from numpyro_programs.plates import scaled, scaled_guide

import vipl
from vipl.interop.numpyro import sites
from vipl.lang.param import ParamStatement

pytestmark = pytest.mark.usefixtures("quick_compilation")

NUM_DRAWS = 24_000  # two means of so many draws differ by a hundredth of their standard deviation
by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def latents(trace):
    """Give the values of a NumPyro trace that are random: its latent sites, and the indices of its subsamples."""
    return {
        name: site["value"]
        for name, site in trace.items()
        if (site["type"] == "sample" and not site["is_observed"])
        or (site["type"] == "plate" and site["args"][1] not in (None, site["args"][0]))
    }


def numpyro_params(case, key):
    """Give the values at which the parameters of a case start, as NumPyro has them."""
    guide = handlers.trace(handlers.seed(case.guide, key)).get_trace(*case.args)
    model = handlers.trace(handlers.replay(handlers.seed(case.model, key), trace=guide)).get_trace(*case.args)
    return {name: site["value"] for name, site in (guide | model).items() if site["type"] == "param"}


def with_these(program, params):
    """Put constrained values into a vipl program, those of a pytree by their paths."""
    flat, _ = jax.tree.flatten_with_path(params)
    values = {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in flat}
    own = [s.statement for s in program.stage().statements if isinstance(s.statement, ParamStatement)]
    return vipl.with_params(program, {s.address: s.unconstrain(values[s.address]) for s in own})


def compare(case):
    """Give the log densities by NumPyro and by vipl at draws of the guide, and draws of both ELBOs."""
    params = jax.jit(lambda key: numpyro_params(case, key))(jax.random.key(1))

    def once(params, key):
        programs = [with_these(vipl.from_numpyro(fn)(*case.args), params) for fn in (case.model, case.guide)]
        key_point, key_numpyro, key_vipl = jax.random.split(key, 3)
        guide = handlers.seed(handlers.substitute(case.guide, data=params), key_point)
        point = latents(handlers.trace(guide).get_trace(*case.args))
        theirs = [log_density(fn, case.args, {}, params | point)[0] for fn in (case.model, case.guide)]
        ours = [vipl.log_density(program, point) for program in programs]
        bound = theirs[0] - theirs[1]
        if case.replays:
            bound = -Trace_ELBO().loss(key_numpyro, params, case.model, case.guide, *case.args)
        return jnp.stack(theirs), jnp.stack(ours), bound, vipl.objectives.elbo(key_vipl, *programs)

    keys = jax.random.split(jax.random.key(2), draws(NUM_DRAWS))
    return [np.asarray(x, np.float64) for x in jax.jit(jax.vmap(once, in_axes=(None, 0)))(params, keys)]


def assert_same_densities(theirs, ours):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def assert_same_mean(theirs, ours):
    error = np.sqrt(theirs.var() / len(theirs) + ours.var() / len(ours))
    assert error <= 0.01 * theirs.std() + 1e-6, "draw more"
    assert abs(ours.mean() - theirs.mean()) <= 4 * error + 1e-5 * abs(theirs.mean())


@by_name
def test_densities_and_elbo_are_numpyro_s(case):
    theirs, ours, their_bound, our_bound = compare(case)
    assert_same_densities(theirs, ours)
    assert_same_mean(their_bound, our_bound)


def test_a_translation_without_the_scale_is_rejected(monkeypatch):
    monkeypatch.setattr(sites, "_rest_of_scale", lambda scale, of_plates: None)
    theirs, ours, their_bound, our_bound = compare(Case("forgetful", scaled, scaled_guide, (Y,)))
    with pytest.raises(AssertionError):
        assert_same_densities(theirs, ours)
    with pytest.raises(AssertionError):
        assert_same_mean(their_bound, our_bound)


def test_infer_fits_a_numpyro_model_with_a_numpyro_guide(key):
    model, guide = vipl.from_numpyro(regression)(X, Y), vipl.from_numpyro(regression_guide)(X, Y)
    assert vipl.init_params(key, guide)["loc"].shape == (2,)
    start = vipl.objectives.elbo(key, model, vipl.with_params(guide, vipl.init_params(key, guide)))
    posterior = vipl.infer(model, guide, key=key, num_steps=500, progress=False)
    assert posterior.elbo > start + 0.1
    assert posterior.sample(key, 5)["slope"].shape == (5, 2)


def test_unobserved_data_can_be_conditioned_on_later():
    program, choices = vipl.from_numpyro(eight_schools), {"mu": 0.5, "tau": 1.0, "theta": 0.1 * Y}
    later = vipl.log_density(program(SIGMA) | {"obs": Y}, choices)
    np.testing.assert_allclose(later, vipl.log_density(program(SIGMA, Y), choices), rtol=1e-6)


def test_a_substituted_value_counts_and_is_not_drawn(key):
    model = handlers.substitute(eight_schools, data={"mu": 0.5, "tau": 1.0, "theta": 0.1 * Y})
    program = vipl.from_numpyro(model)(SIGMA, Y)
    np.testing.assert_allclose(vipl.log_density(program, {}), log_density(model, (SIGMA, Y), {}, {})[0], rtol=1e-6)
    assert not vipl.simulate(program, key).choices


def lifted():
    return numpyro.sample("z", dist.Normal(numpyro.param("loc", 0.0), 1.0))


@pytest.mark.parametrize(
    ("model", "args", "values"),
    [
        (handlers.do(eight_schools, data={"tau": 2.0}), (SIGMA, Y), {"mu": 0.5, "tau": 1.0, "theta": 0.1 * Y}),
        (handlers.lift(lifted, prior={"loc": dist.Laplace(1.0, 2.0)}), (), {"loc": 0.5, "z": 1.5}),
    ],
    ids=["do", "lift"],
)
def test_handlers_around_a_model(model, args, values):
    ours = vipl.log_density(vipl.from_numpyro(model)(*args), values)
    np.testing.assert_allclose(ours, log_density(model, args, {}, values)[0], rtol=1e-6)


def copies(dim):
    """Nest eight schools in a plate of vipl."""

    @vipl.program
    def several():
        with vipl.plate("copies", 2, dim=dim):
            vipl.sample("schools", vipl.from_numpyro(eight_schools)(SIGMA))

    return several()


def test_a_plate_of_vipl_around_the_model(key):
    trace = vipl.simulate(copies(-2), key)
    assert trace["schools/theta"].shape == (2, 6)
    assert trace["schools/tau"].shape == (2, 1)
    with pytest.raises(
        vipl.ShapeError, match="'school' is at dim -1, which plate 'copies' around the model(.|\n)*dim=-2"
    ):
        vipl.simulate(copies(-1), key)


def test_the_program_is_named_after_the_model_and_compiles_once(key):
    count = itertools.count()

    def model(y):
        next(count)
        numpyro.sample("x", dist.Normal(0.0, 1.0))

    density = jax.jit(vipl.log_density)
    for y in (1.0, 2.0):
        density(vipl.from_numpyro(model)(y), {"x": 0.0})
    assert next(count) == 1
    assert repr(vipl.from_numpyro(model)(1.0)) == "model(1.0)"


def imputing(y):
    numpyro.sample("y", dist.Normal(0.0, 1.0).expand([6]), obs=y, obs_mask=y > 0)


def network(y):
    numpyro.module("net", (lambda key, shape: (shape, ()), lambda params, x: x), (2,))


def counting(y):
    numpyro.primitives.mutable("count", 0)


def hiding(y):
    with handlers.block():
        numpyro.sample("x", dist.Normal(0.0, 1.0))


def joint(y):
    guide = AutoMultivariateNormal(eight_schools)
    with handlers.block():
        handlers.seed(guide, 0)(SIGMA, y)
    guide(SIGMA, y)


def missing(y):
    x = numpyro.sample("x", dist.Normal(0.0, 1.0))
    numpyro.sample("y", dist.Normal(x, 1.0).expand([2, 1]), obs=[1.0, float("nan")])


def three_steps():
    scan(lambda c, _: (numpyro.sample("x", dist.Normal(c, 1.0)), None), 0.0, None, length=3)


def conditioned_by_function(y):
    with handlers.condition(condition_fn=lambda site: None):
        three_steps()


def conditioned_in_part(y):
    with handlers.condition(data={"x": y[:2]}):
        three_steps()


def masked_steps(y):
    with handlers.mask(mask=y[:3] > 0):
        three_steps()


def scaled_steps(y):
    with handlers.scale(scale=y[:3]):
        three_steps()


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        (imputing, vipl.ProgramError, r"site 'y' has an obs_mask(.|\n)*obs=y\[observed\]"),
        (network, vipl.ProgramError, r"a key of its own(.|\n)*net\$params"),
        (counting, vipl.ProgramError, r"numpyro.mutable\('count'"),
        (hiding, vipl.ProgramError, "numpyro.handlers.block hides"),
        (joint, vipl.ProgramError, "site '_auto_latent' is auxiliary(.|\n)*FullRank"),
        (missing, vipl.SupportError, "value of 'y' is NaN"),
        (conditioned_by_function, vipl.ProgramError, r"handlers.condition with a function(.|\n)*\{'x': …\}"),
        (conditioned_in_part, vipl.ShapeError, "has shape (.|\n)*3 steps"),
        (masked_steps, vipl.ShapeError, "a mask of shape (.|\n)*with xs"),
        (scaled_steps, vipl.ShapeError, "site 'x' has batch shape (.|\n)*one number"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_stands_for_nothing_is_refused_by_name(model, error, says, key):
    with pytest.raises(error, match=says) as raised:
        vipl.simulate(vipl.from_numpyro(model)(Y), key)
    assert "test_from_numpyro.py" in str(raised.value)
    assert not numpyro.primitives._PYRO_STACK


@pytest.mark.parametrize("wrong", [vipl.from_numpyro(eight_schools), vipl.from_numpyro(eight_schools)(SIGMA), 3])
def test_only_functions_are_taken(wrong):
    with pytest.raises(vipl.ProgramError, match="needs a function of NumPyro's statements"):
        vipl.from_numpyro(wrong)
