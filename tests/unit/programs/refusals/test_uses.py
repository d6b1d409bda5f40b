"""Uses of marginals and posteriors that are refused: a density, a draw, an intervention, an observation."""

import numpy as np
import pytest
from jax import lax
from unit.programs.refusals.checking import check
from unit.programs.refusals.programs import KEY, NORMAL, SERIES, base, proposes, walk

import vipl
import vipl.distributions as dist
from vipl import SMC, Importance, marginal, normalize

pytestmark = pytest.mark.usefixtures("quick_compilation")

ON_X = marginal(base(), ["x"])
POSTERIOR = normalize(base(1.0), Importance())
ESTIMATES = {"marginal": (ON_X, {"x": 1.0}), "posterior": (POSTERIOR, {"u": 0.0, "x": 1.0})}
ESTIMATES["filter"] = (normalize(walk(SERIES), SMC(3)), {"x0": SERIES})
estimates = pytest.mark.parametrize(("program", "choices"), ESTIMATES.values(), ids=ESTIMATES)


@estimates
def test_randomness(program, choices):
    check(
        vipl.RandomnessError, lambda: vipl.log_density(program, choices), "an estimate that draws", "inside vipl.expect"
    )
    inside = vipl.expectation(lambda: vipl.log_density(program, choices, KEY))
    check(vipl.RandomnessError, lambda: inside(KEY), "takes no key: the expectation", "log_density(program, choices)")
    check(vipl.RandomnessError, lambda: vipl.log_density(program, choices, 3), "needs a key and got int", "key(0)")
    check(vipl.RandomnessError, lambda: vipl.simulate(program), "needs a key", "jax.random.key(0)")
    assert np.isfinite(vipl.expectation(lambda: vipl.log_density(program, choices))(KEY))


@pytest.mark.parametrize("program", [base(), marginal(base(), ["u", "x"])], ids=["plain", "nothing integrated out"])
def test_a_key_where_the_density_is_exact(program):
    choices = {"u": 0.0, "x": 1.0}
    check(vipl.RandomnessError, lambda: vipl.log_density(program, choices, KEY), "takes no key", "choices)")
    np.testing.assert_allclose(vipl.log_density(program, choices), -0.5 - np.log(2 * np.pi), rtol=1e-6)


@estimates
def test_interventions(program, choices):
    address = list(choices)[-1]
    changed = vipl.do(program, {address: choices[address]})
    check(vipl.ProgramError, lambda: vipl.simulate(changed, KEY), f"vipl.do sets '{address}'", "intervene first")
    rest = {name: value for name, value in choices.items() if name != address}
    check(vipl.ProgramError, lambda: vipl.log_density(changed, rest, KEY), f"sets '{address}'", "intervene first")


def test_addresses_of_a_marginal():
    check(vipl.AddressError, lambda: vipl.log_density(ON_X, {"x": 1.0, "u": 0.0}, KEY), "no latent site 'u'", "")
    check(vipl.AddressError, lambda: vipl.log_density(ON_X, {}, KEY), "no value for the latent site 'x'", "")
    check(vipl.AddressError, lambda: vipl.simulate(ON_X | {"u": 0.0}, KEY), "'u'", "")


def test_a_posterior_observed_afterwards():
    check(vipl.DensityError, lambda: vipl.simulate(POSTERIOR | {"u": 0.0}, KEY), "'u' is observed", "observe first")
    smoothed = normalize(measured(SERIES), SMC(3)) | {"x": SERIES}
    check(vipl.DensityError, lambda: vipl.simulate(smoothed, KEY), "'x' is observed", "observe first")


@vipl.program
def measured(y, emit=None):
    def step(x, y):
        x = vipl.sample("x", dist.Normal(x, 1.0))
        vipl.sample("y", dist.Normal(x, 1.0), obs=y)
        vipl.sample("z", dist.Normal(x, 1.0))
        return x, None

    lax.scan(step, 0.0, y)


@pytest.mark.parametrize(
    "program",
    [
        marginal(base(1.0), ["u"]),
        marginal(base(1.0), ["u"], Importance(proposes(x=NORMAL), num_particles=1)),
        marginal(base(), ["u", "x"]) | {"x": 1.0},
        marginal(measured(SERIES), ["z"], SMC(3)),
    ],
    ids=["inside", "one particle", "conditioned", "filter"],
)
def test_a_draw_that_was_made_without_regard_to_the_data(program):
    trace = vipl.simulate(program, KEY)
    check(vipl.DensityError, lambda: trace.log_density, "without regard to what is observed", "vipl.normalize(program")
