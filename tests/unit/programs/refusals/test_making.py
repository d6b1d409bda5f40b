"""Which marginals and posteriors cannot be made: what is kept, of which program, by which algorithm, and where."""

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from unit.programs.refusals.checking import check
from unit.programs.refusals.programs import KEY, NORMAL, SERIES, base, walk

import vipl
import vipl.distributions as dist
from vipl import SMC, Importance, marginal, normalize

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def subsampled(y):
    m = vipl.sample("m", NORMAL)
    u = vipl.sample("u", NORMAL)
    with vipl.plate("data", 10, subsample_size=2) as i:
        vipl.sample("y", dist.Normal(m + u, 1.0), obs=y[i])


@vipl.program
def looping():
    vipl.sample("x", NORMAL)
    lax.while_loop(lambda c: c < 1.0, lambda c: c + vipl.sample("s", dist.HalfNormal(1.0)), 0.0)


@vipl.program
def in_a_plate():
    with vipl.plate("n", 3):
        vipl.sample("m", marginal(base(), ["x"]))


@vipl.program
def under_jax_vmap():
    jax.vmap(lambda y: vipl.sample("m", marginal(base(y), ["x"])))(jnp.arange(3.0))


@vipl.program
def lanes_alike():
    jax.vmap(lambda _: vipl.sample("m", marginal(base(), ["x"])), axis_size=3)(jnp.arange(3.0))


MADE = {
    "keeps what is not there": (
        vipl.AddressError,
        lambda: marginal(base(), ["z"]),
        "base has no latent site 'z'. Known: 'u', 'x'",
        "'u', 'x'",
    ),
    "keeps what is misspelt": (
        vipl.AddressError,
        lambda: marginal(base(), ["x", "uu"]),
        "no latent site 'uu'. Did you mean 'u'",
        "'u', 'x'",
    ),
    "keeps what is observed": (vipl.AddressError, lambda: marginal(base(1.0), ["y"]), "observes 'y'", "'u', 'x'"),
    "keeps a number": (vipl.AddressError, lambda: marginal(base(), [3]), "no latent site 3", "'u', 'x'"),
    "keeps None": (vipl.AddressError, lambda: marginal(base(), None), "None", "'u', 'x'"),
    "marginal of a function": (vipl.ProgramError, lambda: marginal(base, ["x"]), "got base", "vipl.marginal(base(…)"),
    "posterior of a function": (vipl.ProgramError, lambda: normalize(base, Importance()), "got base", "base(…)"),
    "marginal by a number": (vipl.ParameterError, lambda: marginal(base(), ["x"], 3), "int", "vipl.Importance("),
    "marginal by a class": (
        vipl.ParameterError,
        lambda: marginal(base(), ["x"], Importance),
        "Importance",
        "vipl.Importance(",
    ),
    "posterior by nothing": (vipl.ParameterError, lambda: normalize(base(1.0), None), "None", "vipl.Importance("),
    "posterior without observations": (
        vipl.DensityError,
        lambda: normalize(base(), Importance()),
        "base observes nothing",
        'program | {"y": data}',
    ),
    "posterior without latents": (
        vipl.AddressError,
        lambda: normalize(base(1.0) | {"u": 0.0, "x": 1.0}, Importance()),
        "no latent site",
        "draws something",
    ),
    "subsampled marginal": (
        vipl.DensityError,
        lambda: marginal(subsampled(jnp.zeros(10)), ["m"]),
        "plate 'data' is subsampled",
        "subsample_size",
    ),
    "subsampled posterior": (
        vipl.DensityError,
        lambda: normalize(subsampled(jnp.zeros(10)), Importance()),
        "plate 'data' is subsampled",
        "subsample_size",
    ),
    "while_loop": (vipl.DensityError, lambda: marginal(looping(), ["x"]), "'s' is inside a while_loop", "scan"),
    "inside a plate": (vipl.ShapeError, lambda: vipl.simulate(in_a_plate(), KEY), "plate 'n'", "vipl.vmap("),
    "under jax.vmap": (vipl.ProgramError, lambda: vipl.simulate(under_jax_vmap(), KEY), "jax.vmap", "vipl.vmap("),
    "under jax.vmap, all alike": (
        vipl.ProgramError,
        lambda: vipl.simulate(lanes_alike(), KEY),
        "jax.vmap",
        "vipl.vmap(",
    ),
    "SMC without scan": (
        vipl.ProgramError,
        lambda: normalize(base(1.0), SMC(3)),
        "one jax.lax.scan .* got one with 0",
        "vipl.Importance(",
    ),
    "SMC with two scans": (
        vipl.ProgramError,
        lambda: normalize(walk(SERIES, 2), SMC(3)),
        "one jax.lax.scan .* got one with 2",
        "one scan",
    ),
    "SMC of a scan that is kept": (
        vipl.ProgramError,
        lambda: marginal(walk(SERIES), ["x0"], SMC(3)),
        "got one with 0",
        "vipl.Importance(",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_what_cannot_be_made(name):
    check(*MADE[name])
