"""The moments of families that have a formula for them, against those of their draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guide_families import FAMILIES, TRAINED, guide_of

import vipl
import vipl.distributions as dist
from vipl.infer.training.agreement import drift_of
from vipl.tracing.survey import survey

DRAWS = 20_000


@vipl.program
def model():
    vipl.sample("mu", dist.Normal(0.0, 2.0))
    vipl.sample("sigma", dist.LogNormal(0.0, 1.0).expand([2, 2]).to_event(2))
    vipl.sample("empty", dist.Normal(0.0, 1.0).expand([0]).to_event(1))


@vipl.program
def with_a_coin():
    vipl.sample("mu", dist.Normal(0.0, 2.0))
    vipl.sample("coin", dist.Bernoulli(0.5))


def of_draws(guide):
    keys = jax.random.split(jax.random.key(1), DRAWS)
    draws = jax.jit(jax.vmap(lambda key: dict(vipl.simulate(guide, key).choices)))(keys)
    draws["sigma"] = jnp.log(draws["sigma"])
    flat = {name: np.reshape(values, (DRAWS, -1)) for name, values in draws.items()}
    return {name: (values.mean(0), values.std(0)) for name, values in flat.items()}


def tell(found, expected):
    """Return how far moments are from others, in standard errors of those of draws."""
    worst = [0.0]
    for address, (mean, spread) in expected.items():
        for value, by_draws, error in zip(found[address], (mean, spread), (1.0, 0.71), strict=True):
            worst += list(np.abs(value - by_draws) / (error * spread / DRAWS**0.5))
    return max(worst)


def close(name, moments_of):
    guide = guide_of(FAMILIES[name], model())
    return tell(moments_of(FAMILIES[name], guide), of_draws(guide)) < 4.5


def formula(family, guide):
    return family.moments(survey(model()), guide.params)


WITH_FORMULA = ("mean_field", "full_rank", "low_rank")


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_a_formula_says_what_draws_say(name):
    assert close(name, formula)


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_a_spread_that_is_six_percent_too_wide_is_seen(name):
    def too_wide(family, guide):
        found = formula(family, guide)
        return {address: (mean, 1.06 * spread) for address, (mean, spread) in found.items()}

    assert not close(name, too_wide)


@pytest.mark.parametrize("name", TRAINED)
def test_where_there_is_no_formula_there_are_no_moments(name):
    family = FAMILIES[name]
    assert (formula(family, guide_of(family, model())) is None) == (
        name.removesuffix("_noncentered") not in WITH_FORMULA
    )
    assert family.moments(survey(with_a_coin()), guide_of(family, with_a_coin()).params) is None


def test_what_moved_most_is_named():
    before = {"a": (np.zeros(2), np.ones(2)), "b": (np.zeros(1), np.ones(1)), "point": (np.zeros(1), np.zeros(1))}
    after = before | {"a": (np.array([0.0, 0.3]), np.array([1.0, 2.0])), "point": (np.ones(1), np.zeros(1))}
    assert drift_of(before, before).size == 0.0
    assert drift_of(before, after) == drift_of(after, before)
    assert drift_of(before, after).address == "a"
    assert drift_of(before, after).size == pytest.approx(np.log(2.0))  # and not by the mean, 0.15
    moved = before | {"b": (np.array([3.0]), np.ones(1))}
    assert drift_of(before, moved).size == pytest.approx(3.0)
