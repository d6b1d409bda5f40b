"""What is refused as a proposal of an inference algorithm: sites, shapes, supports, and what is no proposal."""

import pytest
from jax import lax
from unit.programs.refusals.checking import check
from unit.programs.refusals.programs import KEY, NORMAL, SERIES, base, proposes, walk

import vipl
import vipl.distributions as dist
from vipl import SMC, Importance, marginal, normalize

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def steps(length=3, reverse=False):
    lax.scan(
        lambda c, _: (c + vipl.sample("x0", dist.Normal(0.0, 1.0)), None), 0.0, None, length=length, reverse=reverse
    )


@vipl.program
def twice():
    vipl.sample("u", NORMAL)
    vipl.sample("u", NORMAL)


@vipl.program
def observing():
    vipl.sample("u", NORMAL)
    vipl.sample("o", NORMAL, obs=1.0)


@vipl.program
def weighted():
    vipl.sample("u", NORMAL)
    vipl.factor("o", 1.0)


def proposed(proposal):
    return lambda: marginal(base(), ["x"], Importance(proposal, num_particles=3))


PROPOSALS = {
    "proposal misses": (vipl.AddressError, proposed(proposes()), "misses 'u'", "vipl.sample('u', …)"),
    "proposal misspells": (
        vipl.AddressError,
        proposed(proposes(uu=NORMAL)),
        "'uu', which vipl.marginal does not ask of it. Did you mean 'u'",
        "'u'",
    ),
    "proposal adds": (vipl.AddressError, proposed(proposes(u=NORMAL, w=NORMAL)), "samples 'w'", "'u'"),
    "proposal has what is kept": (vipl.AddressError, proposed(proposes(u=NORMAL, x=NORMAL)), "samples 'x'", "'u'"),
    "proposal repeats": (vipl.AddressError, proposed(twice()), "'u' twice", "one site"),
    "proposal of another shape": (
        vipl.ShapeError,
        proposed(proposes(u=NORMAL.expand([2]).to_event(1))),
        r"'u' has shape \(2,\) in the proposal .* and \(\)",
        "shape ()",
    ),
    "proposal on a part of the support": (
        vipl.SupportError,
        proposed(proposes(u=dist.HalfNormal(1.0))),
        "'u' is drawn from positive reals .* does not cover reals",
        "same support",
    ),
    "discrete proposal": (vipl.SupportError, proposed(proposes(u=dist.Bernoulli(0.5))), "'u' is drawn from 0 or 1", ""),
    "proposal observes": (vipl.DensityError, proposed(observing()), "observes 'o'", "remove"),
    "proposal has a factor": (vipl.DensityError, proposed(weighted()), "'o'", "remove"),
    "proposal is a number": (vipl.ProgramError, proposed(3), "as proposal, .* got int", "Importance(proposal(…)"),
    "proposal is a function of nothing good": (vipl.ProgramError, proposed(lambda kept: 3), "got int", "proposal"),
    "proposal is not called": (vipl.ProgramError, proposed(twice), "proposal", "proposal(…)"),
    "proposal asks for what is not kept": (
        vipl.AddressError,
        proposed(lambda kept: proposes(u=dist.Normal(kept["q"], 1.0))),
        "'q'",
        "'x'",
    ),
    "proposal of a posterior misses": (
        vipl.AddressError,
        lambda: normalize(base(1.0), Importance(proposes(u=NORMAL))),
        "misses 'x'",
        "'u', 'x'",
    ),
    "SMC with a proposal of other length": (
        vipl.ShapeError,
        lambda: normalize(walk(SERIES), SMC(3, steps(2))),
        r"'x0' has shape \(2,\) in the proposal",
        "shape (3,)",
    ),
    "SMC with a proposal that runs backwards": (
        vipl.ProgramError,
        lambda: vipl.simulate(normalize(walk(SERIES), SMC(3, steps(reverse=True))), KEY),
        "opposite directions",
        "program's scan",
    ),
    "SMC with a proposal without scan": (
        vipl.ProgramError,
        lambda: vipl.simulate(normalize(walk(SERIES), SMC(3, proposes(x0=NORMAL.expand([3])))), KEY),
        "the proposal of vipl.SMC .* got one with 0",
        "",
    ),
}


@pytest.mark.parametrize("name", PROPOSALS)
def test_proposals(name):
    check(*PROPOSALS[name])
