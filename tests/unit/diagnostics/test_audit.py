"""`vipl.audit` finds the biases that are there and no others, and measures variances that can be measured otherwise."""

import importlib
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl.diagnostics.audit import Bias
from vipl.diagnostics.audit.open_questions import answer
from vipl.estimators import Enumerate, LeaveOneOut, MeasureValued, Reparam, ScoreFunction, WeightedSamples


def steady():
    """A timer for which everything takes equally long."""
    return itertools.count().__next__


@pytest.fixture
def only(monkeypatch):
    """Lets a test do with fewer alternatives: each is compiled."""
    module = importlib.import_module("vipl.diagnostics.audit.alternatives")
    return lambda *candidates: monkeypatch.setattr(module, "CANDIDATES", candidates)


def check(objective, *args, seed=0, num_draws=1024, **options):
    return vipl.audit(objective, *args, key=jax.random.key(seed), num_draws=num_draws, timer=steady(), **options)


@vipl.expectation
def additive(loc, p):
    x = vipl.sample("x", dist.Laplace(loc, 1.0), estimator=Reparam())
    b = vipl.sample("b", dist.Bernoulli(p), estimator=ScoreFunction())
    return x**2 + 2.0 * b


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(3))
def test_right_estimators_pass_and_effects_sum_to_the_variance(seed):
    found = check(additive, 0.5, 0.4, seed=seed, num_draws=8192)
    gradient = np.array([found.gradient["args[0]"], found.gradient["args[1]"]])
    np.testing.assert_allclose(gradient, [1.0, 2.0], atol=5 * np.sqrt(found.variance / 8192))
    # d/dloc = 2x has variance 8; d/dp = 2b(b − p) / (p (1 − p)) has 4 (1 − p) / p
    assert found.variance == pytest.approx(14.0, rel=0.08)
    assert found.variance_by_leaf == {"args[0]": pytest.approx(8.0, rel=0.1), "args[1]": pytest.approx(6.0, rel=0.08)}
    assert found["x"].variance == pytest.approx(8.0, rel=0.12)
    assert found["b"].variance == pytest.approx(6.0, rel=0.1)
    assert sum(c.variance_share for c in found.choices) == pytest.approx(1.0, abs=0.1)
    assert [c.bias.verdict for c in found.choices] == ["none", "none"]
    assert found["b"].bias.reference == "Enumerate(max_size=256)"
    assert found["b"].bias.resolution < 0.1
    assert found["b"].recommendation == Enumerate(256)
    by_estimator = {a.estimator: a for a in found["b"].alternatives}
    assert by_estimator[Enumerate(256)].variance == pytest.approx(8.0, rel=0.1)  # what x leaves
    assert by_estimator[Reparam()].refusal
    assert found.value == pytest.approx(0.25 + 2 + 0.8, abs=5 * found.value_se)


def test_variance_and_seconds_are_those_of_the_gradient():
    found = check(additive, 0.5, 0.4, num_draws=8192)
    gradient = jax.jit(jax.vmap(jax.grad(additive, argnums=(1, 2)), in_axes=(0, None, None)))
    draws = gradient(jax.random.split(jax.random.key(7), 20_000), 0.5, 0.4)
    assert found.variance == pytest.approx(sum(float(jnp.var(d)) for d in draws), rel=0.08)
    assert found.seconds == pytest.approx(1 / (8192 / 32))  # one tick of the timer for a run
    assert found.num_draws == 8192


@vipl.expectation
def jump(loc):
    x = vipl.sample("x", dist.Laplace(loc, 1.0), estimator=Reparam())
    return jnp.where(x > 0, 1.0, 0.0)


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(4))
def test_a_lost_jump_is_found(seed):
    (row,) = check(jump, 0.3, seed=seed).choices  # its BiasWarning does not reach the user: warnings are errors here
    assert row.bias.verdict == "biased"
    assert row.bias.relative_size == pytest.approx(1.0, rel=0.15)
    assert row.bias.size == pytest.approx(0.3704, rel=0.15)
    assert abs(row.bias.z) > 10
    assert row.recommendation == MeasureValued()
    assert "jump" in row.remark


class Loud(ScoreFunction):
    """Scales the score by 1.3, which is wrong."""

    def weigh(self, key, distribution, joint_axes):
        right = super().weigh(key, distribution, joint_axes)
        return WeightedSamples(right.values, None, 1.3 * right.log_weights)


@vipl.expectation
def loud(p):
    return 4.0 * vipl.sample("b", dist.Bernoulli(p), estimator=Loud()) - 1.0


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_estimator_of_ones_own_is_found(seed):
    row = check(loud, 0.4, seed=seed, num_draws=2048)["b"]
    assert row.bias.verdict == "biased"
    assert row.bias.relative_size == pytest.approx(0.3, abs=0.06)
    assert row.recommendation == Enumerate(256)
    by_estimator = {a.estimator: a for a in row.alternatives}
    verdicts = {e: a.bias and a.bias.verdict for e, a in by_estimator.items() if a.refusal is None}
    assert verdicts[Enumerate(256)] is None  # the reference
    assert "biased" not in verdicts.values()


@vipl.expectation(num_samples=4, has_aux=True)
def with_extras(settings, p):
    with vipl.plate("n", 3):
        b = vipl.sample("b", dist.Bernoulli(p), estimator=ScoreFunction())
    return settings["power"] * jnp.prod(b + 0.5) + settings["count"].sum(), {"b": b}


def test_integers_static_arguments_auxiliaries_and_num_samples(only):
    only(Enumerate(256), ScoreFunction(), LeaveOneOut(2))
    settings, p = {"power": 4, "count": jnp.arange(3), "name": "test"}, jnp.array([0.3, 0.5, 0.7])
    found = check(with_extras, settings, p, num_draws=2048)
    assert list(found.gradient) == ["args[1]"]
    gradient = jax.jit(jax.vmap(jax.grad(with_extras, argnums=2, has_aux=True), in_axes=(0, None, None)))
    del settings["name"]
    draws, _ = gradient(jax.random.split(jax.random.key(7), 20_000), settings, p)
    assert found.variance == pytest.approx(float(jnp.sum(jnp.var(draws, axis=0))), rel=0.15)
    assert found["b"].variance_share == pytest.approx(1.0, abs=0.2)
    assert found["b"].bias.verdict in ("none", "not shown")
    assert found["b"].efficiency > 10
    assert found.recommendations == {"b": Enumerate(256)}
    assert found["b"].cost_share == 0.0
    better = with_extras.with_estimators(found.recommendations)
    assert "Enumerate" in better.explain(settings, p).choices[0].estimator


@vipl.expectation
def chain(p, scale):
    def step(carry, _):
        z = vipl.sample("z", dist.Bernoulli(p), estimator=ScoreFunction())
        e = vipl.sample("e", dist.Normal(0.0, scale))
        return carry + z * 1.0 + e, None

    total, _ = lax.scan(step, 0.0, None, length=2)
    return total**2


def test_inside_a_scan(only):
    only(Enumerate(256), ScoreFunction())
    found = check(chain, 0.3, 0.5, addresses="z", num_draws=4096)
    assert [c.address for c in found.choices] == ["z"]
    assert found["z"].bias.verdict != "biased"
    assert found["z"].variance_share > 0.5


@vipl.expectation
def moving(width):
    u = vipl.sample("u", dist.Uniform(0.0, width), estimator=Reparam())
    return u**2


@vipl.expectation
def moving_jump(width):
    u = vipl.sample("u", dist.Uniform(0.0, width), estimator=Reparam())
    return u + jnp.where(u > 1.0, 2.0, 0.0)


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(3))
def test_central_differences_where_nothing_else_serves(seed):
    right = check(moving, 2.0, seed=seed)["u"].bias
    assert (right.reference, right.verdict) == ("central differences", "none")
    assert right.resolution < 0.01
    wrong = check(moving_jump, 2.0, seed=seed, num_draws=4096)["u"].bias
    assert (wrong.reference, wrong.verdict) == ("central differences", "biased")
    assert wrong.relative_size == pytest.approx(0.5, rel=0.3)  # 2 / width² of that and 1/2


@vipl.expectation
def wave(start):
    return jnp.sin(10.0 * vipl.sample("u", dist.Uniform(start, start + 0.1), estimator=Reparam()))


def test_central_differences_shorten_their_steps():
    found = check(wave, 100.0)["u"].bias  # a twentieth of 100 spans eight waves
    assert (found.reference, found.verdict) == ("central differences", "none")


def test_central_differences_blame_the_choice_with_a_jump():
    both = {"x": None, "y": Bias("not shown", "ScoreFunction()", resolution=0.5)}
    biased = Bias("biased", "central differences", relative_size=1.0, z=9.0, resolution=0.1)
    found = answer(both, biased, jumped={"x"})
    assert [found[a].verdict for a in "xy"] == ["biased", "not shown"]
    assert "of x" in found["y"].remark
    assert {b.verdict for b in answer(both, biased, jumped=set()).values()} == {"biased"}
    none = Bias("none", "central differences", resolution=0.01)
    assert {b.verdict for b in answer(both, none, jumped=set()).values()} == {"none"}


@vipl.expectation
def rare(p):
    return 1.0 * vipl.sample("b", dist.Bernoulli(p), estimator=ScoreFunction())


def test_values_too_rare_to_judge(only):
    only(Enumerate(256), ScoreFunction(), LeaveOneOut(2))
    # At 1e-3 one draw carries much; at 1e-6 the score function sees nothing, and only a control shows that it is right.
    assert [check(rare, p)["b"].bias.verdict for p in (1e-3, 1e-6)] == ["not trustworthy", "not trustworthy"]
    exact = check(rare.with_estimators({"b": Enumerate()}), 1e-6)["b"]
    assert exact.bias.verdict == "none"
    assert exact.recommendation is None


@vipl.program
def subsampled(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 2.0))
    with vipl.plate("rows", y.shape[0], subsample_size=2) as rows:
        vipl.sample("y", dist.Normal(mu, 1.0), obs=y[rows])


@vipl.program
def guide(loc, scale):
    vipl.sample("mu", dist.Normal(loc, scale))


def test_an_elbo_with_a_subsampled_plate(only):
    only(Reparam(), ScoreFunction())
    y = jnp.array([0.0, 1.0, 4.0, 2.0, 3.0])
    found = check(vipl.objectives.elbo, subsampled(y), guide(0.5, 0.3), argnums=1)
    assert [c.address for c in found.choices] == ["mu", "rows"]
    assert found["rows"].estimator == "subsampling"
    assert found["rows"].bias is None
    assert found["rows"].variance_share > 0.3
    assert found["mu"].bias.verdict == "none"
    assert len(found.gradient) == 2
    assert "subsampling" in repr(found)


def test_table():
    found = check(additive, 0.5, 0.4, num_draws=8192)
    lines = repr(found).splitlines()
    assert lines[0].split() == [
        "address",
        "estimator",
        "variance",
        "cost",
        "bias",
        "against",
        "recommended",
        "efficiency",
    ]
    assert lines[2].startswith("x ")
    assert "ScoreFunction()" in lines[3]
    assert "additive: value" in repr(found)
    assert "<table>" in found._repr_html_()
    assert "<td>b</td>" in found._repr_html_()


def test_errors_name_the_fix():
    with pytest.raises(vipl.RandomnessError, match=r"vipl.audit\(objective, …, key="):
        vipl.audit(additive, 0.5, 0.4)
    with pytest.raises(vipl.RandomnessError, match=r"int 3[^\d](.|\n)*vipl.audit\("):
        vipl.audit(additive, 0.5, 0.4, key=3)
    with pytest.raises(vipl.ProgramError, match="vipl.expectation above"):
        vipl.audit(lambda x: x, 0.5, key=jax.random.key(0))
    with pytest.raises(vipl.ParameterError, match="nothing to differentiate"):
        check(additive, 1, 0.4, argnums=0)
    with pytest.raises(vipl.ParameterError, match="argnums"):
        check(additive, 0.5, 0.4, argnums=2)
    with pytest.raises(vipl.ParameterError, match="num_draws=512"):
        check(additive, 0.5, 0.4, num_draws=10)
    with pytest.raises(vipl.AddressError, match="Did you mean 'b'"):
        check(additive, 0.5, 0.4, addresses="bb")


def test_an_expectation_without_choices():
    found = check(vipl.expectation(lambda x: 3.0 * x), 2.0)
    assert (found.value, found.variance, found.choices) == (6.0, 0.0, ())
    assert estimators.Auto() not in found.recommendations.values()
