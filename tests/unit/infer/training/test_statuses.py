"""How a fit ends, and what is seen of it on the way: statuses, callbacks, stopping, the progress bar."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vipl
import vipl.distributions as dist
from vipl import guides
from vipl.infer.training import auto
from vipl.infer.training import fit as fit_module

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.key(0)


@vipl.program
def model(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1000.0))
    sigma = vipl.sample("sigma", dist.HalfNormal(10.0))
    with vipl.plate("data", len(y)):
        vipl.sample("y", dist.Normal(mu, sigma), obs=y)


@vipl.program
def guide():
    scale = vipl.param("scale", 1.0, constraint=dist.constraints.positive)
    vipl.sample("mu", dist.Normal(vipl.param("loc", 0.0), scale))
    vipl.sample("sigma", dist.LogNormal(vipl.param("log_sigma", 0.0), 0.2))


Y = jnp.array([495.0, 500.0, 502.0, 499.0])


def fit(guide=None, **options):
    return vipl.infer(model(Y), guide, **({"key": KEY, "num_steps": 400, "progress": False} | options))


def test_a_fit_that_is_too_short_has_not_converged_and_one_from_nearby_has():
    found = fit(guide(), num_steps=1500)
    assert re.match(r"not converged: '\w+' still moved by [\d.]+ posterior standard deviations", found.status)
    assert found.verdict != "good"
    near = {"loc": jnp.array(499.0), "log_sigma": jnp.array(1.0)}
    assert fit(guide(), params=near, num_steps=1500).status == "finished"


def test_a_family_finds_coordinates_in_which_as_many_steps_suffice():
    assert fit(num_steps=1500).status == "finished"


def ending(seen, at=300):
    """Return a callback that ends the fit after so many steps."""

    def callback(state):
        seen.append(state)
        return state.step >= at

    return callback


@pytest.mark.parametrize(
    "options", [{"guide": guides.FullRank()}, {"optimizer": optax.adam(0.01)}], ids=["in a frame", "by Adam"]
)
def test_a_callback_sees_the_parameters_that_the_posterior_would_have(options):
    seen = []
    found = fit(**options, num_steps=10**6, callback=ending(seen))
    assert found.status == "stopped"
    assert seen[-1].step == len(found.objective_history) == len(seen[-1].objective_history) >= 300
    assert all(state.step < 300 for state in seen[:-1])
    np.testing.assert_array_equal(seen[-1].objective_history, found.objective_history)
    for name, value in found.params.items():
        np.testing.assert_array_equal(seen[-1].params[name], value)
    first = jax.tree.map(np.array, seen[0].params)
    assert any(np.any(first[name] != found.params[name]) for name in first), "earlier states are not overwritten"


def test_a_callback_of_restarts_sees_them_all_in_the_coordinates_of_the_values():
    seen = []
    found = fit(guides.FullRank(), num_restarts=3, num_steps=10**6, callback=ending(seen))
    assert seen[-1].objective_history.shape == (seen[-1].step, 3)
    for name, value in found.params.items():
        np.testing.assert_array_equal(seen[-1].params[name][found.restarts.best], value)


def test_stopping_by_the_history():
    lengths = []

    def stop(history):
        lengths.append(len(history))
        return len(history) >= 300

    found = fit(num_steps=10**6, stop=stop, callback=lambda state: None)
    assert found.status == "stopped"
    assert lengths[-1] == len(found.objective_history) >= 300
    assert max(lengths[:-1]) < 300


def test_the_bar_shows_steps_and_objective_and_nothing_is_shown_without_it(capsys):
    fit(progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "infer: 100%" in shown.err
    assert "400/400" in shown.err
    assert "objective -" in shown.err
    assert shown.err.endswith("\n")
    fit()
    assert capsys.readouterr() == ("", "")


def test_no_steps():
    found = fit(num_steps=0, callback=lambda state: True)
    assert found.status == "finished"
    assert found.objective_history.shape == (0,)
    assert found.sample(KEY, 2)["mu"].shape == (2,)


@vipl.program
def correlated():
    x = vipl.sample("x", dist.Normal(jnp.zeros(2), 1.0).to_event(1))
    vipl.sample("y", dist.Normal(x.sum(), 0.1), obs=1.0)


def fit_auto(**options):
    return vipl.infer(correlated(), "auto", **({"key": KEY, "num_steps": 600, "progress": False} | options))


def test_auto_ends_at_the_first_family_that_is_good():
    found = fit_auto()
    assert [candidate.guide for candidate in found.candidates] == [guides.FullRank()]
    assert found.verdict == "good"


def test_auto_keeps_the_best_and_a_record_of_all(monkeypatch):
    families = [guides.MeanField(), guides.FullRank(init_scale=0.2), guides.MeanField(init_scale=0.2)]
    monkeypatch.setattr(auto, "candidates", lambda surveyed: families)
    found = fit_auto(num_steps=100)
    assert [candidate.guide for candidate in found.candidates] == families
    assert found.candidates[0].verdict == found.candidates[2].verdict == "poor"
    assert found.elbo == found.candidates[1].elbo > max(found.candidates[0].elbo, found.candidates[2].elbo)
    assert (found.verdict, found.status) == (found.candidates[1].verdict, found.candidates[1].status)


def _failing(monkeypatch, *numbers):
    """Have the families of these numbers meet a value that is not finite."""
    families = [guides.MeanField(), guides.FullRank()]
    monkeypatch.setattr(auto, "candidates", lambda surveyed: families)
    begin, begun = fit_module.begin, []

    def broken(model, guide, **options):
        begun.append(guide)
        if len(begun) - 1 not in numbers:
            return begin(model, guide, **options)
        nowhere = options | {"optimizer": optax.sgd(float("inf")), "skip": False}
        return begin(model, guide, **nowhere)

    monkeypatch.setattr(fit_module, "begin", broken)


def test_auto_goes_on_after_a_family_that_meets_what_is_not_finite(monkeypatch):
    _failing(monkeypatch, 0)
    found = fit_auto()
    assert isinstance(found.candidates[1].guide, guides.FullRank)
    assert found.verdict == found.candidates[1].verdict != "poor"
    assert found.candidates[0].verdict == "poor"
    assert "finite" in found.candidates[0].status or "nan" in found.candidates[0].status


def test_auto_fails_where_every_family_does(monkeypatch):
    _failing(monkeypatch, 0, 1)
    with pytest.raises(vipl.NonFiniteError) as raised:
        fit_auto()
    assert raised.value.posterior is not None


@pytest.mark.parametrize("name", ["params", "data", "batch_size", "checkpoint"])
def test_auto_refuses_what_belongs_to_one_guide(name):
    with pytest.raises(vipl.ParameterError, match=f"{name}= belongs to one"):
        fit_auto(**{name: 1})


def test_auto_refuses_a_function():
    with pytest.raises(vipl.ProgramError, match="looks at a Program"):
        vipl.infer(lambda params: correlated(), "auto", key=KEY, progress=False)
