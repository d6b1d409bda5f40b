"""Totals in the carry of a loop become sums of its outputs: the same draws and values, and less variance."""

import functools
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_unbiased, draws
from jax import lax
from totals import ACCUMULATING, LEFT_ALONE, XS, carried, walk

import vipl
import vipl.distributions as dist
from vipl import estimators
from vipl._core.interpreter import locate
from vipl._core.staging import stage
from vipl.transform import plan as planning
from vipl.transform.evaluation.estimate import evaluate
from vipl.transform.rewriting import accumulators
from vipl.transform.rewriting.sums import sums_pulled_out
from vipl.transform.soundness.jumps import jumps


def staged(objective, theta=0.3):
    return stage(lambda: objective(theta), kind="expectation")


def estimate(objective, rewrite, estimator):
    """Return a function of a key and a parameter: one estimate by the rewritten objective, as it is."""

    def run(key, theta):
        with mock.patch.object(planning, "sums_pulled_out", lambda staged: staged):  # which a plan would do by itself
            plan = planning.make_plan(rewrite(staged(objective, theta)), (("*", estimator),), None)
        return evaluate(plan, key)

    return run


def assert_same_estimates(objective, rewrite, key):
    """Check values, and the pathwise gradient, under the same keys; theirs is no matter of who is credited."""
    keys = jax.random.split(key, 8)  # a bound, say, matters to some draws only
    each = lambda function: jax.vmap(lambda key: function(key, 0.3))(keys)  # noqa: E731
    for estimator in (estimators.Reparam(), estimators.ScoreFunction()):
        before, after = (estimate(objective, f, estimator) for f in (lambda s: s, rewrite))
        np.testing.assert_allclose(each(after), each(before), rtol=1e-12)
    before, after = (estimate(objective, f, estimators.Reparam()) for f in (lambda s: s, rewrite))
    np.testing.assert_allclose(each(jax.grad(after, 1)), each(jax.grad(before, 1)), rtol=1e-11)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", ACCUMULATING)
def test_same_draws_and_values(name, key):
    assert_same_estimates(ACCUMULATING[name], sums_pulled_out, key)


@pytest.mark.parametrize("name", ACCUMULATING)
def test_what_the_new_objective_is_made_of(name):
    """No accumulator is left, the statements are the same objects in the same order, and the result has its type."""
    old = staged(ACCUMULATING[name])
    new = sums_pulled_out(old)
    assert new is not old
    assert sums_pulled_out(new) is new
    assert [s.statement for s in new.statements] == [s.statement for s in old.statements]
    assert [(s.axes, len(s.branches)) for s in new.statements] == [(s.axes, len(s.branches)) for s in old.statements]
    assert [s.path for s in new.statements] == [s.path for s in locate(new.jaxpr)]
    assert [str(v.aval) for v in new.jaxpr.outvars] == [str(v.aval) for v in old.jaxpr.outvars]
    assert new.out is old.out


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_other_loops_stay_the_same_object(name):
    objective = staged(LEFT_ALONE[name])
    assert sums_pulled_out(objective) is objective


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", ["discounted", "clipped", "negated", "doubled"])
def test_a_wrong_accumulator_is_caught(name, key, monkeypatch):
    """The twin takes every component that a step changes for an accumulator."""
    monkeypatch.setattr(accumulators, "accumulators", lambda eqn: (1,))
    with pytest.raises(AssertionError):
        assert_same_estimates(LEFT_ALONE[name], sums_pulled_out, key)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32])
def test_types_stay(dtype):
    def objective(_):
        def step(carry, x):
            total, weak = carry
            cost = walk(0.0, x)[1]
            return (total + cost.astype(dtype), weak + 1.0), None

        return lax.scan(step, (jnp.zeros((), dtype), 2.0), XS)[0]

    old, new = staged(objective), sums_pulled_out(staged(objective))
    assert [v.aval.weak_type for v in old.jaxpr.outvars] == [False, True]
    assert [str(v.aval) for v in new.jaxpr.outvars] == [str(v.aval) for v in old.jaxpr.outvars]


def test_jumps_keep_their_line_and_continuous_its_word():
    """What the soundness check says of an objective does not change with it."""

    def objective(theta, around):
        return around(lambda z: carried(z, XS)[1] + jnp.where(z > 0, 1.0, 0.0))(walk(theta, 0.0, "first")[0])

    for around, expected in ((lambda f: f, 1), (jax.jit, 1), (vipl.continuous, 0)):
        old = staged(functools.partial(objective, around=around))
        before, after = (list(jumps(s, lambda path: True).values()) for s in (old, sums_pulled_out(old)))
        assert before == after
        assert len(after) == expected
        assert all(__file__ in line for line in after)


# What it is for.

STEPS = 32


def chain(theta, *, total_in_carry):
    """A chain of Bernoulli choices, with a cost at each step."""

    def step(carry, _):
        z, total = carry
        z = vipl.sample("z", dist.Bernoulli(logits=theta + z)).astype(float)
        cost = (z - 0.4) ** 2
        return ((z, total + cost), None) if total_in_carry else ((z, total), cost)

    (_, total), costs = lax.scan(step, (0.0, 0.0), None, length=STEPS)
    return total if total_in_carry else costs.sum()


def exact(theta):
    def step(carry, _):
        p, total = carry
        p = p * jax.nn.sigmoid(theta + 1.0) + (1 - p) * jax.nn.sigmoid(theta)
        return (p, total + p * 0.6**2 + (1 - p) * 0.4**2), None

    return lax.scan(step, (0.0, 0.0), None, length=STEPS)[0][1]


def test_choices_are_credited_with_later_costs_only(key):
    """The estimates are those of costs that are outputs, key by key; with the total in the carry they vary more."""
    keys = jax.random.split(key, draws(100_000))

    def gradients(objective, rewrite):
        run = estimate(objective, rewrite, estimators.ScoreFunction())
        return jax.jit(jax.vmap(jax.grad(run, 1), (0, None)))(keys, 0.3)

    in_carry = functools.partial(chain, total_in_carry=True)
    as_outputs = gradients(functools.partial(chain, total_in_carry=False), lambda s: s)
    pulled_out = gradients(in_carry, sums_pulled_out)
    np.testing.assert_allclose(pulled_out, as_outputs, rtol=1e-4, atol=1e-4)
    assert gradients(in_carry, lambda s: s).std() > 1.5 * pulled_out.std()
    assert_unbiased(pulled_out, jax.grad(exact)(0.3), resolution=0.25)
