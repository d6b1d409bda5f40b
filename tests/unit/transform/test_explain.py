"""The plan of three worked examples, as plain data and as text."""

import jax.numpy as jnp
import pytest
from jax import lax

import vipl
import vipl.distributions as dist
from vipl import estimators, objectives


@vipl.program
def mixture(y):
    mu = vipl.sample("mu", dist.Normal(0.0, 1.0))
    with vipl.plate("n", 5):
        z = vipl.sample("z", dist.Bernoulli(0.4))
        vipl.sample("y", dist.Normal(z * 2.0 + mu, 1.0), obs=y)


@vipl.program
def mixture_guide(p):
    vipl.sample("mu", dist.Normal(0.1, 0.3))
    with vipl.plate("n", 5):
        vipl.sample("z", dist.Bernoulli(p))


def explain_mixture(estimator=None):
    elbo = objectives.elbo if estimator is None else objectives.elbo.with_estimators({"z": estimator})
    return elbo.explain(mixture(jnp.ones(5)), mixture_guide(jnp.full(5, 0.3)))


def test_elbo_with_a_plate_of_discrete_latents():
    mu, z = explain_mixture().choices
    assert (mu.address, mu.distribution, mu.shape, mu.estimator) == ("mu", "Normal", (), "Reparam()")
    assert (mu.reason, mu.num_values, mu.alignment, mu.credited) == ("its sampler is differentiable", 1, "-", ())
    assert (z.address, z.distribution, z.shape) == ("z", "BernoulliProbs", (5,))
    assert (z.estimator, z.reason) == ("Enumerate(max_size=64)", "its support has 2 points")
    assert (z.num_values, z.cost, z.alignment) == (2, 2, "axis 0 aligned")  # not 2**5
    assert sorted(z.credited) == ["log mixture(y)", "log mixture(z)", "log mixture_guide(z)"]
    assert "test_explain.py" in z.source


def test_an_estimator_that_was_asked_for():
    _, z = explain_mixture(estimators.ScoreFunction()).choices
    assert (z.estimator, z.reason) == ("ScoreFunction(baseline=None)", "asked for")
    assert (z.num_values, z.cost, z.alignment) == (1, 1, "axis 0 aligned")


def test_the_text_of_a_plan():
    lines = str(explain_mixture()).splitlines()
    assert lines[0].split() == "address distribution shape estimator values alignment credited with why".split()
    assert set(lines[1]) == {"-", " "}
    assert lines[2].split()[:3] == ["mu", "Normal", "()"]
    assert lines[3].startswith("z        BernoulliProbs  (5,)   Enumerate(max_size=64)  2       axis 0 aligned")
    assert lines[4] == explain_mixture().summary
    assert lines[4].startswith("2 choices")
    assert len(lines) == 5


def test_the_html_of_a_plan_has_the_same_cells():
    table = explain_mixture()
    text = table._repr_html_()
    assert text.count("<tr>") == 3
    for row in table.rows():
        for cell in row:
            assert f"<td>{cell}</td>" in text


def product(p):
    with vipl.plate("n", 20):
        x = vipl.sample("x", dist.Bernoulli(p))
    return jnp.prod(1.0 + x)


def test_a_product_across_a_plate_is_joint():
    (x,) = vipl.expectation(product).explain(0.3).choices
    assert (x.estimator, x.alignment, x.num_values) == (
        "ScoreFunction(baseline='leave_one_out')",
        "axis 0 joint",
        1,
    )
    assert "too many values to enumerate: the objective mixes its elements" in x.reason


def test_a_joint_axis_too_large_to_enumerate_is_refused():
    objective = vipl.expectation(product, estimators={"x": estimators.Enumerate()})
    with pytest.raises(vipl.EstimatorError, match=r"'x'.*axes \(0,\) of shape \(20,\)"):
        objective.explain(0.3)


@vipl.expectation
def chain(p):
    def step(previous, _):
        x = vipl.sample("x", dist.Bernoulli(0.2 + 0.5 * p * previous))
        return x.astype(float), (x - p) ** 2

    _, costs = lax.scan(step, 1.0, None, length=4)
    head = vipl.sample("head", dist.Normal(p, 1.0))
    return costs.sum() + jnp.where(head > 0, 1.0, 0.0)


def test_a_chain_in_scan_and_a_jump():
    x, head = chain.explain(0.4).choices
    assert (x.address, x.shape, x.alignment) == ("x", (4,), "axis 0 aligned")
    assert (x.estimator, x.num_values, x.cost) == ("Enumerate(max_size=64)", 2, 2)  # not 2**4
    scored, _ = chain.with_estimators({"x": estimators.ScoreFunction()}).explain(0.4).choices
    assert (scored.alignment, scored.num_values) == ("axis 0 causal", 1)
    assert head.estimator.startswith("ScoreFunction")
    assert head.reason.startswith("Reparam would be biased: gt at ")
    assert "test_explain.py" in head.reason
