"""Posteriors and marginals as guides: what a fit says of them, and what is no guide."""

import pytest
from jax import lax
from unit.programs.refusals.checking import check, in_a_test
from unit.programs.refusals.programs import KEY, base, impossible, impossible_walk

import vipl
import vipl.distributions as dist
from vipl import SMC, Importance, marginal, normalize, objectives

pytestmark = pytest.mark.usefixtures("quick_compilation")


@vipl.program
def guide():
    theta = vipl.param("theta", 0.3)
    vipl.sample("x", dist.Normal(theta, 1.0))


@vipl.program
def guide_walk():
    theta = vipl.param("theta", 0.3)
    lax.scan(lambda x, _: (vipl.sample("x", dist.Normal(theta + x, 1.0)), None), 0.0, None, length=3)


FITS = {
    "Importance": (impossible(0.2), Importance(guide(), num_particles=3)),
    "SMC": (impossible_walk(0.2, 1), SMC(3, guide_walk())),
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_names_the_term_that_is_impossible(name):
    model, inference = FITS[name]
    with pytest.raises(vipl.NonFiniteError, match="-inf at step 0: the log_prob of model site 'f'") as caught:
        vipl.infer(model, normalize(model, inference), key=KEY, num_steps=5, progress=False)
    assert in_a_test(caught.value.where)


def test_a_guide_that_observes_is_no_guide():
    check(
        vipl.AddressError,
        lambda: objectives.elbo(KEY, base(1.0), marginal(base(1.0), ["u", "x"])),
        "the guide observes 'y'",
        "remove obs=",
    )
